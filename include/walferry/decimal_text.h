/* decimal_text: Connect's Decimal bytes as PostgreSQL's numeric text. */
#ifndef WALFERRY_DECIMAL_TEXT_H
#define WALFERRY_DECIMAL_TEXT_H

#include "walferry/buf.h"
#include "walferry/err.h"

/* The longest numeric: 131072 digits before the point, 16383 behind it. */
#define DECIMAL_BYTES_MAX 61300
#define DECIMAL_SCALE_MAX 16383

/* `bytes`: a big-endian two's complement integer; the value is that / 10^scale. False where bytes are none or
 * too many, or the scale is out of range. */
MUST_CHECK bool decimal_append(struct buf *out, struct slice bytes, int32_t scale);

#endif
