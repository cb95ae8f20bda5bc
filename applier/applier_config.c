#include "applier_config.h"

#include "target_url.h"

#include "walferry/log.h"

#include <stdlib.h>
#include <string.h>

/* The sink's defaults differ from ours; what is set stays as it is set. */
static void settle_jdbc(struct applier_config *config, const struct config *loaded)
{
    static char topic_format[] = "${topic}";
    if (config->connector_class == NULL || strcmp(config->connector_class, JDBC_SINK_CLASS) != 0)
        return;
    if (!config_is_set(loaded, "insert.mode"))
        config->insert_mode = INSERT_PLAIN;
    if (!config_is_set(loaded, "primary.key.mode"))
        config->key_mode = KEY_NONE;
    if (!config_is_set(loaded, "delete.enabled"))
        config->delete_enabled = false;
    if (!config_is_set(loaded, "truncate.enabled"))
        config->truncate_enabled = false;
    if (!config_is_set(loaded, "collection.name.format"))
        config->collection_format = topic_format;
    log_info("config", "the JDBC sink's defaults hold, since connector.class names it");
}

static void settle_names(struct applier_config *config, const struct config *loaded)
{
    if (config->table_format != NULL && !config_is_set(loaded, "collection.name.format"))
        config->collection_format = config->table_format;
    if (config_is_set(loaded, "batch.size") && !config_is_set(loaded, "walferry.apply.group.rows"))
        config->group_rows = config->batch_size;
    if (!config_is_set(loaded, "walferry.transport") && config_is_set(loaded, "bootstrap.servers"))
        config->transport = TRANSPORT_KAFKA;
}

static bool settle_target(struct applier_config *config, struct err *err)
{
    if (config->url != NULL && config->url[0] != '\0')
        return target_url_read(config->url, &config->uri, err);
    if (config->host != NULL && config->database != NULL)
        return true;
    return err_set(err, ERR_CONFIG,
                   "no target: set connection.url (jdbc:postgresql://HOST:PORT/DB) or TARGET_DB_HOST and "
                   "TARGET_DB_NAME");
}

bool applier_config_load(const struct config_sources *sources, struct applier_config *target,
                         struct config **config, struct err *err)
{
    *target = (struct applier_config){.uri = NULL};
    if (!config_load(&applier_config_table, sources, target, config, err))
        return false;
    log_set((enum log_level)target->log_level, (enum log_format)target->log_format);
    settle_jdbc(target, *config);
    settle_names(target, *config);
    bool ok = settle_target(target, err);
    if (ok && target->transport != TRANSPORT_LOCAL)
        ok = err_set(err, ERR_CONFIG,
                     "walferry.transport = kafka: this version reads the local log only; set "
                     "walferry.transport=local and walferry.local.path");
    if (ok)
        return true;
    applier_config_release(target);
    config_free(*config);
    *config = NULL;
    return false;
}

void applier_config_release(struct applier_config *target)
{
    free(target->uri);
    target->uri = NULL;
}

struct pgvalue_options applier_config_values(const struct applier_config *config)
{
    return (struct pgvalue_options){
        .unavailable_placeholder = slice_of(config->unavailable_placeholder),
        .decimal = (enum decimal_mode)config->decimal_mode,
        .time = (enum time_mode)config->time_mode,
        .binary = (enum binary_mode)config->binary_mode,
        .interval = (enum interval_mode)config->interval_mode,
    };
}

bool applier_config_takes(const struct applier_config *config, struct slice topic)
{
    const char *at = config->topics;
    if (at == NULL || at[0] == '\0')
        return true;
    while (*at != '\0') {
        at += strspn(at, ", \t");
        size_t len = strcspn(at, ", \t");
        if (slice_equal((struct slice){at, len}, topic))
            return true;
        at += len;
    }
    return false;
}
