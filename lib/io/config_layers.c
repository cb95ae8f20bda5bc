#include "config_internal.h"

#include "walferry/log.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define ENVIRONMENT_PREFIX "WALFERRY_"

/* Connect's JSON form has `name` outside and may repeat it inside `config`. */
static bool same_key_twice(const struct config_item *a, const struct config_item *b)
{
    return strcmp(a->name, b->name) == 0 && (strcmp(a->name, "name") != 0 || strcmp(a->value, b->value) != 0);
}

/* A key written twice in one file: the last one holds, and somebody should look. */
static void warn_of_duplicates(const struct config_list *items)
{
    for (size_t i = 1; i < items->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (same_key_twice(&items->items[j], &items->items[i])) {
                log_warn("config", "key given twice, the last one holds",
                         LOG_STR("key", items->items[i].name), LOG_STR("at", items->items[i].origin),
                         LOG_STR("before", items->items[j].origin));
                break;
            }
        }
    }
}

static bool read_file(const char *path, struct config_list *given, struct err *err)
{
    struct config_list items = {0};
    struct buf text;
    bool ok =
        config_file_load(path, path, &text, err) && config_file_parse(path, buf_slice(&text), &items, err);
    if (ok) {
        warn_of_duplicates(&items);
        for (size_t i = 0; i < items.count; i++)
            config_list_set(given, &items.items[i]);
    }
    config_list_release(&items);
    buf_release(&text);
    return ok;
}

/* Whether `rest`, as in WALFERRY_SLOT_NAME behind its prefix, spells `name`. */
static bool spells(const char *rest, const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = name[i] == '.' || name[i] == '-' ? '_' : (char)toupper((unsigned char)name[i]);
        if (rest[i] != c)
            return false;
    }
    return true;
}

/* The key that the variable names, into `name`: a row's name in capitals, also without the `walferry.` that
 * ours begin with (WALFERRY_LOCAL_PATH), or something under a prefix (WALFERRY_PRODUCER_LINGER_MS). Unknown
 * ones are taken as written, so that they are warned of. */
static void name_of_variable(const struct config_table *table, const char *rest, char *name, size_t size)
{
    const struct config_key *prefix = NULL;
    const size_t ours = strlen("walferry.");
    for (const struct config_key *key = table->keys; key->name != NULL; key++) {
        size_t len = strlen(key->name);
        bool is_prefix = (key->flags & CONFIG_PREFIX) != 0;
        bool is_short = strncmp(key->name, "walferry.", ours) == 0 && strlen(rest) == len - ours &&
                        spells(rest, key->name + ours, len - ours);
        if (!is_prefix && (is_short || (strlen(rest) == len && spells(rest, key->name, len)))) {
            (void)snprintf(name, size, "%s", key->name);
            return;
        }
        if (is_prefix && strlen(rest) > len && spells(rest, key->name, len) &&
            (prefix == NULL || len > strlen(prefix->name)))
            prefix = key;
    }
    size_t kept = prefix != NULL ? strlen(prefix->name) : 0;
    (void)snprintf(name, size, "%.*s%s", (int)kept, prefix != NULL ? prefix->name : "", rest + kept);
    for (size_t i = kept; name[i] != '\0'; i++)
        name[i] = name[i] == '_' ? '.' : (char)tolower((unsigned char)name[i]);
}

void config_append_variable(struct buf *out, const char *name)
{
    const size_t ours = strlen("walferry.");
    buf_append_text(out, ENVIRONMENT_PREFIX);
    for (name += strncmp(name, "walferry.", ours) == 0 ? ours : 0; *name != '\0'; name++)
        buf_append_char(out, *name == '.' || *name == '-' ? '_' : (char)toupper((unsigned char)*name));
}

static void set_from_variable(struct config_list *given, const char *key, const char *variable,
                              const char *equals)
{
    char origin[256];
    (void)snprintf(origin, sizeof(origin), "environment %.*s", (int)(equals - variable), variable);
    struct config_list one = {0};
    config_list_add(&one, slice_of(key), slice_of(equals + 1), origin);
    config_list_set(given, &one.items[0]);
    config_list_release(&one);
}

/* Plain names such as TARGET_DB_HOST. Compose files set them empty for "not given". */
static void read_aliases(const struct config_table *table, char **environment, struct config_list *given)
{
    for (const struct config_alias *alias = table->aliases; alias != NULL && alias->environment != NULL;
         alias++) {
        size_t len = strlen(alias->environment);
        for (char **variable = environment; *variable != NULL; variable++) {
            if (strncmp(*variable, alias->environment, len) == 0 && (*variable)[len] == '=' &&
                (*variable)[len + 1] != '\0')
                set_from_variable(given, alias->key, *variable, *variable + len);
        }
    }
}

static void read_environment(const struct config_table *table, char **environment, struct config_list *given)
{
    const size_t prefix_len = strlen(ENVIRONMENT_PREFIX);
    if (environment == NULL)
        return;
    read_aliases(table, environment, given);
    for (char **variable = environment; *variable != NULL; variable++) {
        const char *equals = strchr(*variable, '=');
        char rest[192], name[256];
        if (equals == NULL || strncmp(*variable, ENVIRONMENT_PREFIX, prefix_len) != 0 ||
            (size_t)(equals - *variable) - prefix_len >= sizeof(rest))
            continue;
        (void)snprintf(rest, sizeof(rest), "%.*s", (int)((size_t)(equals - *variable) - prefix_len),
                       *variable + prefix_len);
        name_of_variable(table, rest, name, sizeof(name));
        set_from_variable(given, name, *variable, equals);
    }
}

static bool read_sets(const char *const *sets, struct config_list *given, struct err *err)
{
    for (; sets != NULL && *sets != NULL; sets++) {
        const char *equals = strchr(*sets, '=');
        if (equals == NULL || equals == *sets)
            return err_set(err, ERR_CONFIG, "--set %.*s: allowed KEY=VALUE", 64, equals == NULL ? *sets : "");
        struct config_list one = {0};
        config_list_add(&one, (struct slice){*sets, (size_t)(equals - *sets)}, slice_of(equals + 1), "--set");
        config_list_set(given, &one.items[0]);
        config_list_release(&one);
    }
    return true;
}

bool config_layers_read(const struct config_table *table, const struct config_sources *sources,
                        struct config_list *given, struct err *err)
{
    for (const char *const *path = sources->files; path != NULL && *path != NULL; path++) {
        if (!read_file(*path, given, err))
            return false;
    }
    read_environment(table, sources->environment, given);
    return read_sets(sources->sets, given, err);
}
