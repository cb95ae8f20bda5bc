/* change_field: struct field and field lists out of parsed JSON. */
#ifndef WALFERRY_CORE_CHANGE_FIELD_H
#define WALFERRY_CORE_CHANGE_FIELD_H

#include "walferry/change.h"

#include "json_document.h"

/* The array behind one list, kept between reads. */
struct field_array {
    struct field *fields; /* owned */
    size_t capacity;
};

void field_array_release(struct field_array *array);

/* Room for `count` fields; what was there is gone. */
struct field *field_array_reserve(struct field_array *array, size_t count);

/* Sets kind, value and node; leaves name and schema. */
void field_set_value(struct field *field, yyjson_val *node);

/* The members of `object` in their order. `schema` is the struct's Connect schema, or NULL. */
void field_list_read(struct field_list *list, struct field_array *array, yyjson_val *object,
                     yyjson_val *schema);

/* The member of a struct schema's `fields` that describes `name`; NULL where there is none. */
yyjson_val *schema_field(yyjson_val *schema, struct slice name);

#endif
