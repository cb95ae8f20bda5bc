/* base64: the standard alphabet and the URL-safe one, with padding. */
#ifndef WALFERRY_BASE64_H
#define WALFERRY_BASE64_H

#include "walferry/buf.h"
#include "walferry/err.h"

/* Appends what `text` encodes. False (with `out` as it was) where it is not base64, or where the last digit
 * holds bits that belong to no byte. */
MUST_CHECK bool base64_append_decoded(struct buf *out, struct slice text);

#endif
