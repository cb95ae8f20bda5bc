#include "walferry/config.h"

#include "config_internal.h"

#include "walferry/log.h"

#include <assert.h>
#include <stdlib.h>

const char *const config_log_formats[] = {"logfmt", "json", NULL};
const char *const config_log_levels[] = {"debug", "info", "warn", "error", NULL};

static char *copy(struct slice text)
{
    char *made = strndup(text.len > 0 ? text.data : "", text.len);
    if (made == NULL)
        abort();
    return made;
}

void config_list_release(struct config_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct config_item *item = &list->items[i];
        free(item->name);
        free(item->value);
        free(item->raw);
        free(item->origin);
    }
    free(list->items);
    *list = (struct config_list){0};
}

void config_list_add(struct config_list *list, struct slice name, struct slice value, const char *origin)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity > 0 ? list->capacity * 2 : 32;
        list->items = reallocarray(list->items, list->capacity, sizeof(*list->items));
        if (list->items == NULL)
            abort();
    }
    list->items[list->count++] =
        (struct config_item){.name = copy(name), .value = copy(value), .origin = copy(slice_of(origin))};
}

struct config_item *config_list_find(const struct config_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    }
    return NULL;
}

void config_list_set(struct config_list *list, const struct config_item *item)
{
    struct config_item *found = config_list_find(list, item->name);
    if (found == NULL) {
        config_list_add(list, slice_of(item->name), slice_of(item->value), item->origin);
        return;
    }
    free(found->value);
    free(found->origin);
    found->value = copy(slice_of(item->value));
    found->origin = copy(slice_of(item->origin));
}

/* In the form in which it was given. */
static void warn_unknown(const struct config *config, const struct config_item *item)
{
    const char *nearest = config_key_nearest(config->table, item->name);
    struct buf variable;
    buf_init(&variable, 256);
    if (strncmp(item->origin, "environment ", strlen("environment ")) == 0)
        config_append_variable(&variable, nearest);
    log_warn("config", "unknown key, ignored", LOG_STR("key", item->name), LOG_STR("at", item->origin),
             LOG_STR("nearest", variable.len > 0 ? buf_text(&variable) : nearest));
    buf_release(&variable);
}

/* Warns of what no row knows and refuses what the program cannot do. */
static bool check_names(const struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->given.count; i++) {
        const struct config_item *item = &config->given.items[i];
        const struct config_key *key = config_key_find(config->table, item->name);
        if (key == NULL)
            warn_unknown(config, item);
        else if (key->type == CONFIG_UNSUPPORTED && !config_value_check_unsupported(key, item, err))
            return false;
    }
    return true;
}

static bool bind_all(const struct config *config, void *target, struct err *err)
{
    for (const struct config_key *key = config->table->keys; key->name != NULL; key++) {
        if (key->type == CONFIG_ACCEPTED || key->type == CONFIG_UNSUPPORTED ||
            (key->flags & CONFIG_PREFIX) != 0)
            continue;
        const struct config_item *item = config_list_find(&config->given, key->name);
        const char *value = item != NULL ? item->value : key->fallback;
        if ((key->flags & CONFIG_REQUIRED) != 0 && (value == NULL || value[0] == '\0'))
            return err_set(err, ERR_CONFIG,
                           "%s%s%s is required (%s); set it in the connector file or with --set",
                           item != NULL ? item->origin : "", item != NULL ? ": " : "", key->name, key->help);
        if (!config_value_bind(key, item, value, target, err))
            return false;
    }
    return true;
}

bool config_load(const struct config_table *table, const struct config_sources *sources, void *target,
                 struct config **config, struct err *err)
{
    struct config *made = calloc(1, sizeof(*made));
    if (made == NULL)
        abort();
    made->table = table;
    if (config_layers_read(table, sources, &made->given, err) &&
        config_providers_resolve(&made->given, sources->environment, err) && check_names(made, err) &&
        bind_all(made, target, err)) {
        *config = made;
        return true;
    }
    config_free(made);
    *config = NULL;
    return false;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    config_list_release(&config->given);
    free(config);
}

const char *config_get(const struct config *config, const char *name)
{
    const struct config_item *item = config_list_find(&config->given, name);
    if (item != NULL)
        return item->value;
    const struct config_key *key = config_key_find(config->table, name);
    return key != NULL && (key->flags & CONFIG_PREFIX) == 0 ? key->fallback : NULL;
}

bool config_is_set(const struct config *config, const char *name)
{
    return config_list_find(&config->given, name) != NULL;
}

bool config_refuse(const struct config *config, const char *name, const char *allowed, struct err *err)
{
    const struct config_key *key = config_key_find(config->table, name);
    const struct config_item *item = config_list_find(&config->given, name);
    assert(key != NULL && item != NULL); /* a refused default is our bug */
    return config_value_refuse(key, item, allowed, err);
}

void config_each(const struct config *config, const char *prefix,
                 void (*each)(void *data, const char *name, const char *value), void *data)
{
    size_t len = strlen(prefix);
    for (size_t i = 0; i < config->given.count; i++) {
        const struct config_item *item = &config->given.items[i];
        if (strncmp(item->name, prefix, len) == 0 && item->name[len] != '\0')
            each(data, item->name + len, item->value);
    }
}
