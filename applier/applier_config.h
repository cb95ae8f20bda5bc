/* applier_config: what the configuration files and options of walferry-applier are bound to.
 *
 * The keys are those of Debezium's JDBC sink where it has one. config_keys.c is the only list of them.
 */
#ifndef APPLIER_CONFIG_H
#define APPLIER_CONFIG_H

#include "walferry/config.h"
#include "walferry/pgvalue.h"

#define JDBC_SINK_CLASS "io.debezium.connector.jdbc.JdbcSinkConnector"

enum transport { TRANSPORT_KAFKA, TRANSPORT_LOCAL };
enum insert_mode { INSERT_UPSERT, INSERT_PLAIN };
enum key_mode { KEY_RECORD, KEY_NONE };
enum missing_rule { MISSING_STOP, MISSING_IGNORE };
enum resnapshot_rule { RESNAPSHOT_STOP, RESNAPSHOT_MERGE };
enum replication_role { ROLE_AUTO, ROLE_REPLICA, ROLE_ORIGIN };

struct applier_config {
    char *name, *connector_class;
    char *url, *host, *port, *database, *user, *password;
    char *topics;
    char *uri; /* made of `url`: libpq's form; owned */
    int insert_mode, key_mode;
    bool delete_enabled, truncate_enabled;
    char *collection_format, *table_format;
    int missing, resnapshot, role;
    int64_t group_rows, group_bytes, group_ms, batch_size;
    int64_t pipeline_statements, pipeline_bytes, record_bytes_max;
    int64_t retry_delay_max_ms;
    char *unavailable_placeholder;
    int decimal_mode, time_mode, binary_mode, interval_mode;
    int transport;
    char *local_path;
    int log_format, log_level;
    char *listeners;
};

extern const struct config_table applier_config_table;

/* Loads, then settles what depends on another key: the JDBC sink's own defaults, the transport, the URL. */
MUST_CHECK bool applier_config_load(const struct config_sources *sources, struct applier_config *target,
                                    struct config **config, struct err *err);
void applier_config_release(struct applier_config *target);

/* The producer's modes, for events without schemas; borrows from `config`. */
struct pgvalue_options applier_config_values(const struct applier_config *config);

/* Is this topic one of `topics`? All are where it is unset. */
bool applier_config_takes(const struct applier_config *config, struct slice topic);

#endif
