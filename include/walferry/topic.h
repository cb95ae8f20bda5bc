/* topic: Kafka topic names as Debezium's SchemaTopicNamingStrategy builds them.
 *
 * <prefix><delimiter><schema><delimiter><table>, then each character outside [A-Za-z0-9._-] becomes one `_`
 * (a character beyond the BMP counts as two, as in Java), cut to 249, "." and ".." become "_" and "__".
 */
#ifndef WALFERRY_TOPIC_H
#define WALFERRY_TOPIC_H

#include "walferry/buf.h"

#define TOPIC_LENGTH_MAX 249

void topic_append_table(struct buf *out, struct slice prefix, struct slice delimiter, struct slice schema,
                        struct slice table);

/* `<prefix><delimiter><suffix>`: the transaction and message topics. */
void topic_append_named(struct buf *out, struct slice prefix, struct slice delimiter, struct slice suffix);

/* Java client's partitioner: murmur2 of the key's bytes, masked to 31 bits, modulo the count. */
int32_t topic_partition_of_key(struct slice key, int32_t partition_count);

#endif
