/* streamer_config: what the configuration files and options of walferry-streamer are bound to.
 *
 * The keys are Debezium's where Debezium has one. config_keys.c is the only list of them.
 */
#ifndef STREAMER_CONFIG_H
#define STREAMER_CONFIG_H

#include "walferry/config.h"

#define DEBEZIUM_VERSION "3.6.1.Final" /* source.version: the release whose events these are */

enum snapshot_mode {
    SNAPSHOT_INITIAL,
    SNAPSHOT_NO_DATA,
    SNAPSHOT_INITIAL_ONLY,
    SNAPSHOT_ALWAYS,
    SNAPSHOT_WHEN_NEEDED,
};

enum publication_mode {
    PUBLICATION_ALL_TABLES,
    PUBLICATION_DISABLED,
    PUBLICATION_FILTERED,
    PUBLICATION_NO_TABLES
};

enum transport { TRANSPORT_KAFKA, TRANSPORT_LOCAL, TRANSPORT_STDOUT, TRANSPORT_NULL };

struct streamer_config {
    char *name, *topic_prefix, *topic_delimiter, *topic_transaction;
    char *hostname, *user, *password, *dbname, *sslcert, *sslkey, *sslrootcert;
    int64_t port;
    int sslmode; /* index of streamer_sslmodes */
    char *slot_name;
    bool slot_drop_on_stop;
    char *publication_name;
    int publication_mode; /* enum publication_mode */
    bool publish_via_partition_root;
    int snapshot_mode; /* enum snapshot_mode */
    bool transaction_metadata, tombstones_on_delete, extended_headers;
    bool key_schemas, value_schemas, replace_null_with_default;
    int decimal_mode, time_mode, binary_mode, interval_mode;
    char *skipped_operations; /* letters of c, u, d, t; "none" */
    char *unavailable_placeholder;
    int64_t status_interval_ms, retry_delay_max_ms, record_bytes_max;
    int transport; /* enum transport */
    char *local_path;
    int64_t local_retention_bytes, local_retention_ms;
    int64_t queue_bytes_max, linger_ms, batch_bytes_max;
    int log_format, log_level;
    char *listeners;
};

extern const struct config_table streamer_config_table;
extern const char *const streamer_sslmodes[]; /* libpq's names */

/* Loads, then settles what depends on another key: the transport, and what a local log's reader needs
 * (transactions and truncates), each said once in the log. */
MUST_CHECK bool streamer_config_load(const struct config_sources *sources, struct streamer_config *target,
                                     struct config **config, struct err *err);

/* Is this operation ('c', 'u', 'd', 't') left out? */
bool streamer_config_skips(const struct streamer_config *config, char operation);

#endif
