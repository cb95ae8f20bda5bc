/* pgvalue_internal: one decoding, shared by the files of pgvalue. */
#ifndef WALFERRY_CORE_PGVALUE_INTERNAL_H
#define WALFERRY_CORE_PGVALUE_INTERNAL_H

#include "walferry/pgtype.h"
#include "walferry/pgvalue.h"

#include "change_field.h"

struct decoding {
    struct buf *out;
    const struct field *field;
    const struct target_column *column;
    const struct pgvalue_options *options;
    bool unchanged;     /* the placeholder was met: what was appended is taken back */
    const char *reason; /* of a failure, where there is more to say than what was met */
};

/* False where the field cannot be read; the caller makes the error. */
typedef bool (*decode_fn)(struct decoding *decoding);

/* Any field but NULL and ARRAY. */
MUST_CHECK bool decode_scalar(struct decoding *decoding);

/* A JSON array as `{…}` text. */
MUST_CHECK bool decode_array(struct decoding *decoding);

/* A map, or the JSON text of one, as hstore text. */
MUST_CHECK bool decode_hstore(struct decoding *decoding);

/* io.debezium.data.Bits, and booleans of one bit. */
MUST_CHECK bool decode_bits(struct decoding *decoding);

/* bytea, and types without a mapping, whose text comes as bytes. */
MUST_CHECK bool decode_bytea(struct decoding *decoding);
MUST_CHECK bool decode_text_in_bytes(struct decoding *decoding);

/* Numbers in the unit that the name, or without a schema the producer's mode says; texts by ISO 8601. */
MUST_CHECK bool decode_date(struct decoding *decoding);
MUST_CHECK bool decode_time_ms(struct decoding *decoding);
MUST_CHECK bool decode_time_us(struct decoding *decoding);
MUST_CHECK bool decode_time_ns(struct decoding *decoding);
MUST_CHECK bool decode_time(struct decoding *decoding);
MUST_CHECK bool decode_timestamp_ms(struct decoding *decoding);
MUST_CHECK bool decode_timestamp_us(struct decoding *decoding);
MUST_CHECK bool decode_timestamp_ns(struct decoding *decoding);
MUST_CHECK bool decode_timestamp(struct decoding *decoding);
MUST_CHECK bool decode_timestamptz(struct decoding *decoding);
MUST_CHECK bool decode_timetz(struct decoding *decoding);
MUST_CHECK bool decode_interval(struct decoding *decoding);

/* Plain text stays as it is; under precise mode base64 of a Decimal. */
MUST_CHECK bool decode_numeric(struct decoding *decoding);
MUST_CHECK bool decode_money(struct decoding *decoding);
MUST_CHECK bool decode_decimal(struct decoding *decoding);
MUST_CHECK bool decode_variable_scale_decimal(struct decoding *decoding);

/* unavailable.value.placeholder, with Debezium's `hex:` prefix resolved. What `text` shows must be all of it.
 */
bool is_placeholder_text(const struct pgvalue_options *options, struct slice text);
bool is_placeholder_bytes(const struct pgvalue_options *options, struct slice bytes);
/* Java's name-based UUID of it. */
bool is_placeholder_uuid(const struct pgvalue_options *options, struct slice text);
/* The array of its bytes as signed numbers, or the array of one text, one base64 or one UUID. */
bool is_placeholder_array(const struct pgvalue_options *options, yyjson_val *array);

static inline bool has_schema(const struct field *field)
{
    return field->schema_type.data != NULL;
}

/* The last part of format_type's text without array brackets: `public.hstore` and `hstore[]` are hstore. */
bool type_is_named(const struct target_column *column, struct slice name);

#endif
