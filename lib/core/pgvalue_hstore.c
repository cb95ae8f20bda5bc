#include "pgvalue_internal.h"

static void append_quoted(struct buf *out, struct slice text)
{
    buf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, text.data[i]);
    }
    buf_append_char(out, '"');
}

/* "key"=>"value", "key"=>NULL: as hstore prints it, in the map's order. */
static bool append_map(struct decoding *c, yyjson_val *map)
{
    size_t i, count;
    yyjson_val *key, *value;
    if (!yyjson_is_obj(map))
        return false;
    yyjson_obj_foreach(map, i, count, key, value)
    {
        if (!yyjson_is_str(value) && !yyjson_is_null(value))
            return false;
        if (count == 1 && yyjson_is_str(value))
            c->unchanged = is_placeholder_text(c->options, json_text(key)) &&
                           is_placeholder_text(c->options, json_text(value));
        if (i > 0)
            buf_append_text(c->out, ", ");
        append_quoted(c->out, json_text(key));
        buf_append_text(c->out, "=>");
        if (yyjson_is_null(value))
            buf_append_text(c->out, "NULL");
        else
            append_quoted(c->out, json_text(value));
    }
    return true;
}

bool decode_hstore(struct decoding *c)
{
    if (c->field->kind == FIELD_STRUCT)
        return append_map(c, (yyjson_val *)(uintptr_t)c->field->node);
    if (c->field->kind != FIELD_STRING)
        return false;
    struct json_document document = {0};
    struct err ignored;
    yyjson_val *map = json_document_read(&document, c->field->json, false, "hstore", &ignored);
    bool ok = map != NULL && append_map(c, map);
    json_document_release(&document);
    return ok;
}
