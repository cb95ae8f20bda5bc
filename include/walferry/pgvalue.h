/* pgvalue: a Debezium field as PostgreSQL text, guided by the target column's type.
 *
 * The schema's semantic name decides where the event has one; otherwise the target type together with the
 * producer's modes. Base64, epoch numbers, scaled integers become the text that the type's input function
 * reads. An unchanged (TOAST) placeholder is recognised here and never returned as data.
 */
#ifndef WALFERRY_PGVALUE_H
#define WALFERRY_PGVALUE_H

#include "walferry/buf.h"
#include "walferry/change.h"
#include "walferry/envelope.h" /* the producer's modes */

struct target_column {
    struct slice name;
    uint32_t type_oid; /* domains resolved */
    int32_t typmod;
    struct slice type_name; /* format_type's text, for casts */
    bool not_null;
    bool generated;       /* never written */
    bool identity_always; /* GENERATED ALWAYS AS IDENTITY: may be inserted, never SET */
    bool has_equality;    /* the type has a default btree or hash operator class */
};

struct pgvalue_options {
    struct slice unavailable_placeholder;
    enum decimal_mode decimal;
    enum time_mode time;
    enum binary_mode binary;
    enum interval_mode interval;
};

/* VALUE_NULL, VALUE_UNCHANGED or VALUE_TEXT; text is appended to `out` (the caller keeps offsets, since the
 * buffer may move), nothing for the others. Dates and times are ISO texts, so that any DateStyle with ISO
 * input reads them alike; money needs lc_monetary=C, and
 * without a schema money.fraction.digits=2. ERR_TYPE names column, type and what was met, never the
 * value; ERR_LIMIT where `out` is full. What the format does not carry is refused, not guessed: a varbit's
 * length, an array's further dimensions, a timestamp beyond the range of its unit. */
MUST_CHECK bool pgvalue_append(struct buf *out, const struct field *field, const struct target_column *column,
                               const struct pgvalue_options *options, enum value_kind *kind, struct err *err);

#endif
