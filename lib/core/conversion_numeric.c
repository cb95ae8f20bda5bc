#include "conversion_internal.h"
#include "walferry/json.h"
#include "walferry/numeric.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

/* A Decimal has no NaN and no infinity: Debezium writes null and logs it. */
static enum converted append_lost(struct buf *out)
{
    buf_append_text(out, "null");
    return CONVERTED_LOST;
}

CONVERTER(convert_decimal)
{
    struct numeric numeric;
    if (!numeric_parse(text, &numeric))
        return CONVERTED_BAD;
    if (numeric.kind != NUMERIC_FINITE)
        return append_lost(out);
    return numeric_append_decimal(out, &numeric, conversion->scale) ? CONVERTED : CONVERTED_BAD;
}

/* The form keeps the number, not the display scale: 1.50 is written as 1.5. */
CONVERTER(convert_variable_decimal)
{
    (void)conversion;
    struct numeric numeric;
    if (!numeric_parse(text, &numeric))
        return CONVERTED_BAD;
    if (numeric.kind != NUMERIC_FINITE)
        return append_lost(out);
    numeric_append_variable(out, &numeric);
    bool trailing_zero = numeric.fraction.len > 0 && text.data[text.len - 1] == '0';
    return trailing_zero ? CONVERTED_LOST : CONVERTED;
}

#define SHORT_NUMERIC 63

/* With a declared scale all of DBL_DIG digits come back; without one only the number's own text does. */
static bool double_loses(struct slice text, const struct numeric *numeric, struct slice written,
                         const struct conversion *conversion)
{
    if (numeric->kind != NUMERIC_FINITE)
        return false;
    if (conversion->scale < 0)
        return !slice_equal(written, text);
    return numeric->integer.len + numeric->fraction.len > DBL_DIG;
}

/* json_append_float reads short texts; longer ones are cut behind the digits that can matter. */
CONVERTER(convert_numeric_double)
{
    struct numeric numeric;
    size_t start = out->len;
    if (!numeric_parse(text, &numeric))
        return CONVERTED_BAD;
    if (text.len <= SHORT_NUMERIC || numeric.kind != NUMERIC_FINITE) {
        if (!json_append_float(out, text, false))
            return CONVERTED_BAD;
        struct slice written = {buf_slice(out).data + start, out->len - start};
        return double_loses(text, &numeric, written, conversion) ? CONVERTED_LOST : CONVERTED;
    }
    char *copy = buf_reserve(out, text.len + 1); /* as scratch: strtod wants a NUL */
    if (copy == NULL)
        return CONVERTED;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    double value = strtod(copy, NULL);
    char lexeme[32];
    struct buf printed = {.data = lexeme, .capacity = sizeof(lexeme), .bytes_max = sizeof(lexeme) - 1};
    buf_printf(&printed, "%.17g", value);
    struct slice number = {printed.data, printed.len};
    if (memchr(number.data, 'n', number.len) != NULL) /* inf: beyond a double */
        number = numeric.negative ? SLICE_LITERAL("-Infinity") : SLICE_LITERAL("Infinity");
    return json_append_float(out, number, false) ? CONVERTED_LOST : CONVERTED_BAD;
}

CONVERTER(convert_numeric_text)
{
    static const char *const specials[] = {[NUMERIC_NAN] = "NAN",
                                           [NUMERIC_INFINITY] = "POSITIVE_INFINITY",
                                           [NUMERIC_MINUS_INFINITY] = "NEGATIVE_INFINITY"};
    struct numeric numeric;
    if (!numeric_parse(text, &numeric))
        return CONVERTED_BAD;
    if (numeric.kind != NUMERIC_FINITE) {
        convert_append_quoted(out, specials[numeric.kind], strlen(specials[numeric.kind]));
        return CONVERTED;
    }
    buf_append_char(out, '"');
    numeric_append_plain(out, &numeric, conversion->scale);
    buf_append_char(out, '"');
    return CONVERTED;
}

#define MONEY_TEXT_MAX 40

/* -$1,234.11 (lc_monetary=C) as -1234.11; returns false where it is something else. */
static bool money_digits(struct slice text, char digits[MONEY_TEXT_MAX], struct slice *number)
{
    size_t len = 0;
    if (text.len == 0 || text.len >= MONEY_TEXT_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.data[i];
        if (byte == '$' || byte == ',')
            continue;
        digits[len++] = byte;
    }
    *number = (struct slice){digits, len};
    return true;
}

CONVERTER(convert_money)
{
    char digits[MONEY_TEXT_MAX];
    struct slice number;
    return money_digits(text, digits, &number) ? convert_decimal(out, number, conversion) : CONVERTED_BAD;
}

CONVERTER(convert_money_double)
{
    char digits[MONEY_TEXT_MAX];
    struct slice number;
    return money_digits(text, digits, &number) ? convert_numeric_double(out, number, conversion)
                                               : CONVERTED_BAD;
}

CONVERTER(convert_money_text)
{
    char digits[MONEY_TEXT_MAX];
    struct slice number;
    return money_digits(text, digits, &number) ? convert_numeric_text(out, number, conversion)
                                               : CONVERTED_BAD;
}
