#include "change_field.h"

#include <stdlib.h>

void field_array_release(struct field_array *array)
{
    free(array->fields);
    *array = (struct field_array){0};
}

struct field *field_array_reserve(struct field_array *array, size_t count)
{
    if (count <= array->capacity)
        return array->fields;
    free(array->fields);
    array->capacity = count + count / 2;
    array->fields = calloc(array->capacity, sizeof(*array->fields));
    if (array->fields == NULL)
        abort(); /* out of memory: a restart is safe by design */
    return array->fields;
}

void field_set_value(struct field *field, yyjson_val *node)
{
    field->node = node;
    field->json = SLICE_NONE;
    switch (yyjson_get_type(node)) {
    case YYJSON_TYPE_BOOL:
        field->kind = FIELD_BOOL;
        field->boolean = yyjson_is_true(node);
        break;
    case YYJSON_TYPE_RAW:
        field->kind = FIELD_NUMBER;
        field->json = json_lexeme(node);
        break;
    case YYJSON_TYPE_STR:
        field->kind = FIELD_STRING;
        field->json = json_text(node);
        break;
    case YYJSON_TYPE_OBJ:
        field->kind = FIELD_STRUCT;
        break;
    case YYJSON_TYPE_ARR:
        field->kind = FIELD_ARRAY;
        break;
    default:
        field->kind = FIELD_NULL;
        break;
    }
}

static bool describes(yyjson_val *schema, struct slice name)
{
    struct slice described = json_text(yyjson_obj_get(schema, "field"));
    return described.data != NULL && slice_equal(described, name);
}

yyjson_val *schema_field(yyjson_val *schema, struct slice name)
{
    size_t i, count;
    yyjson_val *member;
    yyjson_arr_foreach(yyjson_obj_get(schema, "fields"), i, count, member)
    {
        if (describes(member, name))
            return member;
    }
    return NULL;
}

/* parameters.scale is a decimal in a string. */
static int32_t read_scale(yyjson_val *schema)
{
    yyjson_val *scale = yyjson_obj_get(yyjson_obj_get(schema, "parameters"), "scale");
    if (!yyjson_is_str(scale) || yyjson_get_len(scale) > 6)
        return INT32_MIN;
    char *end;
    long value = strtol(yyjson_get_str(scale), &end, 10);
    return *end == '\0' && end != yyjson_get_str(scale) ? (int32_t)value : INT32_MIN;
}

static void set_schema(struct field *field, yyjson_val *schema)
{
    yyjson_val *items = yyjson_obj_get(schema, "items");
    yyjson_val *scalar = items != NULL ? items : schema;
    field->schema_type = json_text(yyjson_obj_get(schema, "type"));
    field->schema_name = json_text(yyjson_obj_get(scalar, "name"));
    field->item_type = json_text(yyjson_obj_get(items, "type"));
    field->scale = field->schema_name.data != NULL ? read_scale(scalar) : INT32_MIN;
}

void field_list_read(struct field_list *list, struct field_array *array, yyjson_val *object,
                     yyjson_val *schema)
{
    list->present = true;
    list->count = 0;
    list->fields = field_array_reserve(array, yyjson_obj_size(object));
    /* Members come in the order of their schema, save where someone rewrote the event. */
    yyjson_arr_iter described;
    bool in_order = yyjson_arr_iter_init(yyjson_obj_get(schema, "fields"), &described);
    size_t i, count;
    yyjson_val *name, *value;
    yyjson_obj_foreach(object, i, count, name, value)
    {
        struct field *field = &list->fields[list->count++];
        *field = (struct field){.name = json_text(name), .scale = INT32_MIN};
        field_set_value(field, value);
        yyjson_val *description = in_order ? yyjson_arr_iter_next(&described) : NULL;
        if (in_order && !describes(description, field->name))
            description = schema_field(schema, field->name);
        if (description != NULL)
            set_schema(field, description);
    }
}
