#include "streamer_config.h"

#include "walferry/http.h"
#include "walferry/log.h"

#include <string.h>

static bool check_operations(const struct streamer_config *config, struct err *err)
{
    const char *text = config->skipped_operations;
    if (strcmp(text, "none") == 0 || text[strspn(text, "cudt, ")] == '\0')
        return true;
    return err_set(err, ERR_CONFIG,
                   "skipped.operations = \"%s\": allowed are c, u, d, t parted by commas, or none", text);
}

static bool check_listeners(const struct streamer_config *config, const struct config *loaded,
                            struct err *err)
{
    return http_listeners_valid(config->listeners) ||
           config_refuse(loaded, "listeners",
                         "http://HOST:PORT with a port of 0 to 65535, several parted by commas, or nothing",
                         err);
}

static bool check_names(const struct streamer_config *config, struct err *err)
{
    size_t len = strlen(config->slot_name);
    if (len == 0 || len > 63 ||
        config->slot_name[strspn(config->slot_name, "abcdefghijklmnopqrstuvwxyz0123456789_")] != '\0')
        return err_set(err, ERR_CONFIG,
                       "slot.name = \"%s\": allowed are 1 to 63 lower-case letters, digits and _",
                       config->slot_name);
    len = strlen(config->publication_name);
    if (len == 0 || len > 63)
        return err_set(err, ERR_CONFIG, "publication.name: allowed are 1 to 63 bytes");
    if (config->topic_prefix[0] == '\0')
        return err_set(err, ERR_CONFIG, "topic.prefix is empty; give the source a name");
    return true;
}

/* The reader of a local log applies whole transactions and must see every change. */
static void settle_local(struct streamer_config *config, const struct config *loaded)
{
    static char none[] = "none";
    if (config->transport != TRANSPORT_LOCAL)
        return;
    if (!config_is_set(loaded, "provide.transaction.metadata")) {
        config->transaction_metadata = true;
        log_info("config", "provide.transaction.metadata is true with the local transport");
    }
    if (!config_is_set(loaded, "skipped.operations")) {
        config->skipped_operations = none;
        log_info("config", "skipped.operations is none with the local transport");
    }
}

bool streamer_config_load(const struct config_sources *sources, struct streamer_config *target,
                          struct config **config, struct err *err)
{
    if (!config_load(&streamer_config_table, sources, target, config, err))
        return false;
    log_set((enum log_level)target->log_level, (enum log_format)target->log_format);
    if (!config_is_set(*config, "walferry.transport") && config_get(*config, "bootstrap.servers") != NULL)
        target->transport = TRANSPORT_KAFKA;
    if (target->name == NULL || target->name[0] == '\0')
        target->name = target->topic_prefix;
    if (check_operations(target, err) && check_names(target, err) && check_listeners(target, *config, err)) {
        settle_local(target, *config);
        return true;
    }
    config_free(*config);
    *config = NULL;
    return false;
}

bool streamer_config_skips(const struct streamer_config *config, char operation)
{
    return strcmp(config->skipped_operations, "none") != 0 &&
           strchr(config->skipped_operations, operation) != NULL;
}
