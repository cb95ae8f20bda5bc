#include "conversion_internal.h"
#include "walferry/json.h"
#include "walferry/md5.h"
#include "walferry/pgtype.h"

#include <stdlib.h>

/* The array types that Debezium has a mapping for; their oids are as fixed as those of their elements. Arrays
 * of an extension's type are found by name. */
static const struct {
    uint32_t array, element;
} elements[] = {
    {1000, PGTYPE_BOOL},        {1001, PGTYPE_BYTEA},     {1002, PGTYPE_CHAR},      {1005, PGTYPE_INT2},
    {1007, PGTYPE_INT4},        {1016, PGTYPE_INT8},      {1028, PGTYPE_OID},       {1009, PGTYPE_TEXT},
    {1014, PGTYPE_BPCHAR},      {1015, PGTYPE_VARCHAR},   {1021, PGTYPE_FLOAT4},    {1022, PGTYPE_FLOAT8},
    {1231, PGTYPE_NUMERIC},     {651, PGTYPE_CIDR},       {1041, PGTYPE_INET},      {1040, PGTYPE_MACADDR},
    {775, PGTYPE_MACADDR8},     {199, PGTYPE_JSON},       {3807, PGTYPE_JSONB},     {2951, PGTYPE_UUID},
    {1182, PGTYPE_DATE},        {1183, PGTYPE_TIME},      {1270, PGTYPE_TIMETZ},    {1115, PGTYPE_TIMESTAMP},
    {1185, PGTYPE_TIMESTAMPTZ}, {3905, PGTYPE_INT4RANGE}, {3927, PGTYPE_INT8RANGE}, {3907, PGTYPE_NUMRANGE},
    {3909, PGTYPE_TSRANGE},     {3911, PGTYPE_TSTZRANGE}, {3913, PGTYPE_DATERANGE},
};

bool conversion_array_element(const struct column *column, uint32_t oid, struct column *element)
{
    *element = *column;
    for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
        if (elements[i].array == oid) {
            element->type_oid = element->base_oid = elements[i].element;
            return true;
        }
    }
    struct slice name = column->type_name;
    bool named = name.data != NULL && name.len > 1 && name.data[0] == '_';
    if (named)
        element->type_name = (struct slice){name.data + 1, name.len - 1};
    return named && (slice_equal(element->type_name, SLICE_LITERAL("citext")) ||
                     slice_equal(element->type_name, SLICE_LITERAL("ltree")));
}

#define COPY_BYTES 512

/* One element of array_out's text: {a,"b \"c\"",NULL}. Quoted elements with escapes are copied, short ones
 * without memory of their own. */
struct element {
    struct slice text;
    bool null;
    char *owned; /* NULL: `text` points to the input or to `copy` */
    char copy[COPY_BYTES];
};

static size_t unescape(char *to, struct slice quoted)
{
    size_t len = 0;
    for (size_t i = 0; i < quoted.len; i++) {
        if (quoted.data[i] == '\\' && i + 1 < quoted.len)
            i++;
        to[len++] = quoted.data[i];
    }
    return len;
}

static void set_quoted(struct element *element, struct slice quoted)
{
    element->text = quoted;
    if (memchr(quoted.data, '\\', quoted.len) == NULL)
        return;
    char *to = element->copy;
    if (quoted.len > sizeof(element->copy)) {
        to = element->owned = malloc(quoted.len);
        if (to == NULL)
            abort(); /* out of memory: a restart is safe by design */
    }
    element->text = (struct slice){to, unescape(to, quoted)};
}

/* Reads the element at `at`; returns where the byte behind it is, or SIZE_MAX. */
static size_t read_element(struct slice array, size_t at, struct element *element)
{
    element->null = false;
    element->owned = NULL;
    if (at < array.len && array.data[at] == '"') {
        size_t from = ++at;
        while (at < array.len && array.data[at] != '"')
            at += array.data[at] == '\\' ? 2 : 1;
        if (at >= array.len)
            return SIZE_MAX;
        set_quoted(element, (struct slice){array.data + from, at - from});
        return at + 1;
    }
    size_t from = at;
    while (at < array.len && array.data[at] != ',' && array.data[at] != '}')
        at++;
    element->text = (struct slice){array.data + from, at - from};
    element->null = slice_equal(element->text, SLICE_LITERAL("NULL"));
    return at == from ? SIZE_MAX : at;
}

/* Inside arrays Debezium shows 24:00:00 as 0. */
static bool is_midnight(const struct conversion *conversion, struct slice text)
{
    return conversion->row->oid == PGTYPE_TIME && slice_equal(text, SLICE_LITERAL("24:00:00"));
}

static enum converted append_element(struct buf *out, const struct element *element,
                                     const struct conversion *conversion)
{
    if (element->null) {
        buf_append_text(out, "null");
        return CONVERTED;
    }
    bool midnight = is_midnight(conversion, element->text);
    struct slice text = midnight ? SLICE_LITERAL("00:00:00") : element->text;
    if (buf_room(out, text.len + CONVERT_ROOM) == NULL)
        return CONVERTED;
    enum converted converted = conversion->row->convert(out, text, conversion);
    return midnight && converted == CONVERTED ? CONVERTED_LOST : converted;
}

/* Several dimensions have no form: as many nulls as the outer one is long. */
static enum converted append_nested(struct buf *out, struct slice array)
{
    size_t depth = 0, count = 1;
    for (size_t at = 0; at < array.len; at++) {
        char byte = array.data[at];
        if (byte == '"') {
            for (at++; at < array.len && array.data[at] != '"'; at++)
                at += array.data[at] == '\\' ? 1 : 0;
        }
        depth += byte == '{' ? 1 : 0;
        if (byte == '}' && depth-- == 0)
            return CONVERTED_BAD;
        count += byte == ',' && depth == 1 ? 1 : 0;
    }
    if (depth != 0)
        return CONVERTED_BAD;
    for (size_t i = 0; i < count; i++)
        buf_append_text(out, i == 0 ? "[null" : ",null");
    buf_append_char(out, ']');
    return CONVERTED_LOST;
}

/* The elements behind `{`. A value that a Decimal cannot hold makes the whole array null. */
static enum converted append_elements(struct buf *out, struct slice array,
                                      const struct conversion *conversion, size_t start)
{
    enum converted result = CONVERTED;
    size_t at = 1;
    buf_append_char(out, '[');
    for (char byte = ','; byte == ',';) {
        struct element element;
        at = read_element(array, at, &element);
        if (at >= array.len)
            return CONVERTED_BAD; /* no end: nothing was copied that the check above did not see */
        size_t from = out->len;
        enum converted converted = append_element(out, &element, conversion);
        free(element.owned);
        if (converted == CONVERTED_BAD)
            return CONVERTED_BAD;
        if (converted == CONVERTED_LOST) {
            result = CONVERTED_LOST;
            bool none = out->len - from == 4 && memcmp(out->data + from, "null", 4) == 0;
            if (none) {
                out->len = start;
                buf_append_text(out, "null");
                return CONVERTED_LOST;
            }
        }
        byte = array.data[at++];
        buf_append_char(out, byte == ',' ? ',' : ']');
        if (byte != ',' && byte != '}')
            return CONVERTED_BAD;
    }
    return at == array.len ? result : CONVERTED_BAD;
}

CONVERTER(convert_array)
{
    size_t start = out->len;
    bool bounds = text.len > 0 && text.data[0] == '['; /* [2:4]={…}: a lower bound that is not 1 */
    const char *equals = bounds ? memchr(text.data, '=', text.len) : NULL;
    if (bounds && equals == NULL)
        return CONVERTED_BAD;
    if (bounds)
        text = (struct slice){equals + 1, text.len - (size_t)(equals + 1 - text.data)};
    if (text.len < 2 || text.data[0] != '{')
        return CONVERTED_BAD;
    if (slice_equal(text, SLICE_LITERAL("{}"))) {
        buf_append_text(out, "[]");
        return CONVERTED;
    }
    if (text.data[1] == '{')
        return append_nested(out, text);
    enum converted converted = append_elements(out, text, conversion, start);
    return bounds && converted == CONVERTED ? CONVERTED_LOST : converted;
}

static void append_codes(struct buf *out, struct slice placeholder)
{
    for (size_t i = 0; i < placeholder.len; i++)
        buf_printf(out, "%s%d", i == 0 ? "[" : ",", (signed char)placeholder.data[i]);
    buf_append_text(out, placeholder.len == 0 ? "[]" : "]");
}

/* Java's UUID.nameUUIDFromBytes. */
static void append_uuid(struct buf *out, struct slice placeholder)
{
    uint8_t d[MD5_BYTES];
    md5(placeholder, d);
    d[6] = (uint8_t)((d[6] & 0x0F) | 0x30);
    d[8] = (uint8_t)((d[8] & 0x3F) | 0x80);
    buf_append_text(out, "[\"");
    for (size_t i = 0; i < MD5_BYTES; i++)
        buf_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", d[i]);
    buf_append_text(out, "\"]");
}

bool conversion_append_array_placeholder(struct buf *out, const struct conversion *conversion,
                                         struct slice placeholder)
{
    struct conversion element = *conversion;
    element.array = false;
    switch (conversion->row->oid) {
    case PGTYPE_INT4:
    case PGTYPE_INT8:
    case PGTYPE_DATE:
        append_codes(out, placeholder);
        return true;
    case PGTYPE_UUID:
        append_uuid(out, placeholder);
        return true;
    case PGTYPE_BYTEA:
    case PGTYPE_TEXT:
    case PGTYPE_VARCHAR:
    case PGTYPE_BPCHAR:
    case PGTYPE_JSON:
    case PGTYPE_JSONB:
        buf_append_char(out, '[');
        (void)conversion_append_placeholder(out, &element, placeholder);
        buf_append_char(out, ']');
        return true;
    default:
        buf_append_text(out, "null");
        return false;
    }
}
