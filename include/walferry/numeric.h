/* numeric: PostgreSQL's numeric text, and the forms Debezium gives it.
 *
 * numeric_out writes plain digits with an optional sign and point, or NaN, Infinity, -Infinity. A Decimal is
 * the unscaled integer at a fixed scale as big-endian two's complement; a VariableScaleDecimal carries its
 * own scale, without trailing zeros and never negative.
 */
#ifndef WALFERRY_NUMERIC_H
#define WALFERRY_NUMERIC_H

#include "walferry/buf.h"

struct numeric {
    enum numeric_kind { NUMERIC_FINITE, NUMERIC_NAN, NUMERIC_INFINITY, NUMERIC_MINUS_INFINITY } kind;
    bool negative;
    struct slice integer;  /* digits before the point, at least one */
    struct slice fraction; /* digits after it, perhaps none */
};

/* False where the text is no numeric. The slices point into it. */
bool numeric_parse(struct slice text, struct numeric *numeric) __attribute__((warn_unused_result));

/* The quoted base64 of the unscaled value. False where the number has more digits behind the point. */
bool numeric_append_decimal(struct buf *out, const struct numeric *numeric, int32_t scale);

/* {"scale":4,"value":"AYr3"} */
void numeric_append_variable(struct buf *out, const struct numeric *numeric);

/* Plain digits padded with zeros to `scale` (-1: as they are), without quotes. */
void numeric_append_plain(struct buf *out, const struct numeric *numeric, int32_t scale);

#endif
