#include "pgvalue_internal.h"

static const struct {
    uint32_t array, element;
} elements[] = {
    {1000, PGTYPE_BOOL},     {1001, PGTYPE_BYTEA},   {1002, PGTYPE_CHAR},      {1003, PGTYPE_NAME},
    {1016, PGTYPE_INT8},     {1005, PGTYPE_INT2},    {1007, PGTYPE_INT4},      {1009, PGTYPE_TEXT},
    {1028, PGTYPE_OID},      {199, PGTYPE_JSON},     {143, PGTYPE_XML},        {1021, PGTYPE_FLOAT4},
    {1022, PGTYPE_FLOAT8},   {775, PGTYPE_MACADDR8}, {791, PGTYPE_MONEY},      {1040, PGTYPE_MACADDR},
    {1041, PGTYPE_INET},     {651, PGTYPE_CIDR},     {1014, PGTYPE_BPCHAR},    {1015, PGTYPE_VARCHAR},
    {1182, PGTYPE_DATE},     {1183, PGTYPE_TIME},    {1115, PGTYPE_TIMESTAMP}, {1185, PGTYPE_TIMESTAMPTZ},
    {1187, PGTYPE_INTERVAL}, {1270, PGTYPE_TIMETZ},  {1561, PGTYPE_BIT},       {1563, PGTYPE_VARBIT},
    {1231, PGTYPE_NUMERIC},  {2951, PGTYPE_UUID},    {3807, PGTYPE_JSONB},
};

/* 0 for the arrays of types without a rule of their own; their elements are texts or numbers. */
static uint32_t element_oid(uint32_t array_oid)
{
    for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
        if (elements[i].array == array_oid)
            return elements[i].element;
    }
    return 0;
}

static bool is_array_type(const struct target_column *column)
{
    struct slice name = column->type_name;
    return element_oid(column->type_oid) != 0 ||
           (name.len > 2 && memcmp(name.data + name.len - 2, "[]", 2) == 0);
}

static bool is_special(char byte)
{
    return byte == '"' || byte == '\\';
}

/* array_out quotes nothing else. */
static bool needs_quotes(struct slice text)
{
    static const char special[] = "{}\",\\ \t\n\r\v\f";
    if (text.len == 0 || (text.len == 4 && strncasecmp(text.data, "null", 4) == 0))
        return true;
    for (size_t i = 0; i < text.len; i++) {
        if (memchr(special, text.data[i], sizeof(special) - 1) != NULL)
            return true;
    }
    return false;
}

/* Quotes what was appended since `start`, moving it apart from its end. */
static void quote_element(struct buf *out, size_t start)
{
    size_t len = out->len - start, escapes = 0;
    if (!needs_quotes((struct slice){out->data != NULL ? out->data + start : "", len}))
        return;
    for (size_t i = start; i < out->len; i++)
        escapes += is_special(out->data[i]) ? 1 : 0;
    if (buf_reserve(out, escapes + 2) == NULL)
        return;
    out->len += escapes + 2;
    size_t to = out->len;
    out->data[--to] = '"';
    for (size_t i = start + len; i > start; i--) {
        char byte = out->data[i - 1];
        out->data[--to] = byte;
        if (is_special(byte))
            out->data[--to] = '\\';
    }
    out->data[start] = '"';
}

static bool decode_element(struct decoding *c, struct field *element, yyjson_val *node)
{
    field_set_value(element, node);
    if (element->kind == FIELD_NULL) {
        buf_append_text(c->out, "NULL");
        return true;
    }
    size_t start = c->out->len;
    if (element->kind == FIELD_ARRAY) {
        c->reason = "an array of several dimensions";
        return false;
    }
    if (!decode_scalar(c))
        return false;
    quote_element(c->out, start);
    return true;
}

bool decode_array(struct decoding *c)
{
    yyjson_val *array = (yyjson_val *)(uintptr_t)c->field->node;
    if (is_placeholder_array(c->options, array)) {
        c->unchanged = true;
        return true;
    }
    if (!is_array_type(c->column))
        return false;
    struct field element = {.name = c->field->name,
                            .schema_type = c->field->item_type,
                            .schema_name = c->field->schema_name,
                            .scale = c->field->scale};
    struct target_column column = *c->column;
    column.type_oid = element_oid(c->column->type_oid);
    struct decoding inner = {.out = c->out, .field = &element, .column = &column, .options = c->options};
    bool ok = true;
    size_t i, count;
    yyjson_val *node;
    buf_append_char(c->out, '{');
    yyjson_arr_foreach(array, i, count, node)
    {
        if (i > 0)
            buf_append_char(c->out, ',');
        ok = ok && decode_element(&inner, &element, node);
    }
    buf_append_char(c->out, '}');
    c->reason = inner.reason;
    return ok;
}
