#include "walferry/javafloat.h"
#include "walferry/json.h"

#include <math.h>
#include <stdlib.h>

#define FLOAT_TEXT_MAX 64 /* PostgreSQL's longest is 24 */

static bool is_number(struct slice text)
{
    if (text.len == 0 || text.len > FLOAT_TEXT_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.data[i];
        if ((byte < '0' || byte > '9') && byte != '-' && byte != '+' && byte != '.' && byte != 'e' &&
            byte != 'E')
            return false;
    }
    return true;
}

static bool is_special(struct slice text)
{
    return slice_equal(text, SLICE_LITERAL("NaN")) || slice_equal(text, SLICE_LITERAL("Infinity")) ||
           slice_equal(text, SLICE_LITERAL("-Infinity"));
}

/* No program sets LC_NUMERIC, so strtod reads a point whatever the environment says. */
static bool parse(struct slice text, bool single, double *value)
{
    char copy[FLOAT_TEXT_MAX + 1];
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    char *end = copy;
    *value = single ? (double)strtof(copy, &end) : strtod(copy, &end);
    return end == copy + text.len && isfinite(*value);
}

bool json_append_float(struct buf *out, struct slice text, bool single)
{
    if (is_special(text)) {
        json_append_string(out, text);
        return true;
    }
    double value;
    if (!is_number(text) || !parse(text, single, &value))
        return false;
    char *to = buf_room(out, JAVAFLOAT_SIZE);
    if (to == NULL)
        return true; /* overflowed: the caller sees it at the end */
    char *end = single ? javafloat_write_float(to, (float)value) : javafloat_write_double(to, value);
    out->len += (size_t)(end - to);
    return true;
}
