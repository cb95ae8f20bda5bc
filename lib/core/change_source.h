/* change_source: the parts of an event that say where and when: source, sequence, transaction. */
#ifndef WALFERRY_CORE_CHANGE_SOURCE_H
#define WALFERRY_CORE_CHANGE_SOURCE_H

#include "walferry/change.h"

#include "json_document.h"

/* Unsigned decimals without sign or blank. */
MUST_CHECK bool read_unsigned(struct slice digits, uint64_t max, uint64_t *value);

/* A member that may be absent or null, which leaves *value as it is; false where it is another thing than a
 * number up to `max`. */
MUST_CHECK bool read_optional_number(yyjson_val *node, uint64_t max, uint64_t *value);

/* The id of a transaction, "<xid>:<lsn>". */
MUST_CHECK bool read_transaction_id(yyjson_val *node, uint32_t *xid, lsn_t *lsn);

/* `source` and `transaction` of an envelope. */
MUST_CHECK bool change_read_source(struct change *change, yyjson_val *source, struct err *err);
MUST_CHECK bool change_read_transaction_block(struct change *change, yyjson_val *block, struct err *err);

#endif
