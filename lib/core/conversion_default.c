/* A column's DEFAULT expression (pg_get_expr) as the member `default` of its schema.
 *
 * As Debezium's PostgresDefaultValueConverter: a call of a function stands for the type's own constant (0,
 * "", epoch, …), otherwise the first quoted literal counts up to its next quote, otherwise the expression's
 * text. What the type's converter cannot read has no default. Left out, unlike there: defaults that are
 * infinite dates and timestamps, for which Debezium shows wrong numbers. Domains have none. */
#include "conversion_internal.h"

static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte == '.';
}

/* [(]name(…) or one of the functions that SQL writes without parentheses. */
static bool is_function(struct slice expression)
{
    size_t at = expression.len > 0 && expression.data[0] == '(' ? 1 : 0;
    size_t from = at;
    while (at < expression.len && is_name_byte(expression.data[at]))
        at++;
    return at > from && at < expression.len && expression.data[at] == '(';
}

static bool starts_with(struct slice text, const char *prefix)
{
    size_t len = strlen(prefix);
    return text.len >= len && memcmp(text.data, prefix, len) == 0;
}

static bool is_clock(struct slice expression)
{
    static const char *const names[] = {"CURRENT_DATE", "CURRENT_TIME", "LOCALTIME"}; /* …STAMP too */
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (starts_with(expression, names[i]))
            return true;
    }
    return false;
}

static struct slice literal_of(struct slice expression)
{
    const char *open = memchr(expression.data, '\'', expression.len);
    if (open == NULL)
        return expression;
    size_t rest = expression.len - (size_t)(open + 1 - expression.data);
    const char *close = memchr(open + 1, '\'', rest);
    return close == NULL ? expression : (struct slice){open + 1, (size_t)(close - open - 1)};
}

bool conversion_append_default(struct buf *out, const struct conversion *conversion,
                               const struct column *column)
{
    struct slice expression = column->default_expression;
    const char *stand_in = conversion->row->stand_in;
    bool domain = column->base_oid != 0 && column->base_oid != column->type_oid;
    if (expression.data == NULL || expression.len == 0 || stand_in == NULL || domain || conversion->array ||
        starts_with(expression, "NULL::"))
        return false;
    bool computed = is_function(expression) || is_clock(expression);
    struct slice text = computed ? slice_of(stand_in) : literal_of(expression);
    bool infinite =
        slice_equal(text, SLICE_LITERAL("infinity")) || slice_equal(text, SLICE_LITERAL("-infinity"));
    if (infinite && !conversion_is_plain_text(conversion))
        return false;
    size_t before = out->len;
    if (buf_room(out, text.len + CONVERT_ROOM) == NULL)
        return false;
    if (conversion->convert(out, text, conversion) != CONVERTED_BAD)
        return true;
    out->len = before;
    return false;
}
