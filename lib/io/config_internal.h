/* config_internal: what the files of the config module share.
 *
 *     config_file      text of a .properties or JSON file → items
 *     config_layers    files, environment and --set → one list, later ones win
 *     config_provider  ${file:PATH:KEY} and its like, resolved in that list
 *     config_value     text → field of the program's struct; what may be shown of a value
 *     config           the order of these steps, and look-ups
 *     config_docs      --help, --print-config, docs/CONFIGURATION.md
 */
#ifndef WALFERRY_CONFIG_INTERNAL_H
#define WALFERRY_CONFIG_INTERNAL_H

#include "walferry/config.h"

#define CONFIG_FILE_BYTES_MAX (1u << 20)
#define CONFIG_HIDDEN "********"

struct config_item {
    char *name;
    char *value;  /* effective; after config_providers_resolve without references */
    char *raw;    /* as written, where a provider filled the value; else NULL */
    char *origin; /* "connector.properties:12", "environment NAME", "--set" */
};

struct config_list {
    struct config_item *items; /* owned, with their texts */
    size_t count, capacity;
};

struct config {
    const struct config_table *table;
    struct config_list given; /* everything that was given, each name once */
};

void config_list_release(struct config_list *list);

/* Appends copies; a name may come twice. */
void config_list_add(struct config_list *list, struct slice name, struct slice value, const char *origin);

/* Sets a name that may be there already. */
void config_list_set(struct config_list *list, const struct config_item *item);
struct config_item *config_list_find(const struct config_list *list, const char *name);

/* Pure: the items of a file's text in their order, duplicates included. JSON where the name ends in .json or
 * the text starts with a brace. */
MUST_CHECK bool config_file_parse(const char *path, struct slice text, struct config_list *items,
                                  struct err *err);

/* A whole file, up to CONFIG_FILE_BYTES_MAX, into `text` (initialised here; the caller releases it also on
 * false). `who` starts the error. */
MUST_CHECK bool config_file_load(const char *who, const char *path, struct buf *text, struct err *err);

MUST_CHECK bool config_layers_read(const struct config_table *table, const struct config_sources *sources,
                                   struct config_list *given, struct err *err);

MUST_CHECK bool config_providers_resolve(struct config_list *given, char **environment, struct err *err);

/* The row that `name` belongs to: its own, else the longest prefix, else NULL. */
const struct config_key *config_key_find(const struct config_table *table, const char *name);

/* The known name with the smallest edit distance. */
const char *config_key_nearest(const struct config_table *table, const char *name);

/* The variable that gives the key: WALFERRY_SLOT_NAME. */
void config_append_variable(struct buf *out, const char *name);

/* Checks `value` against the row and stores it; `item` is where it came from, NULL for the default. */
MUST_CHECK bool config_value_bind(const struct config_key *key, const struct config_item *item,
                                  const char *value, void *target, struct err *err);

/* An err that names place, key, value and what is allowed; returns false. */
bool config_value_refuse(const struct config_key *key, const struct config_item *item, const char *allowed,
                         struct err *err);

/* ERR unless the value is the row's default. */
MUST_CHECK bool config_value_check_unsupported(const struct config_key *key, const struct config_item *item,
                                               struct err *err);

/* Whether the whole value is hidden; `key` NULL for an unknown name. */
bool config_value_is_secret(const struct config_key *key, const struct config_item *item);

/* The value for people: hidden, or with the passwords inside URLs hidden. */
void config_value_append_shown(struct buf *out, const struct config_key *key, const struct config_item *item,
                               const char *value);

/* "true, false", "1 to 65535", "initial, no_data": what a row takes, as text. */
void config_value_append_allowed(struct buf *out, const struct config_key *key);

#endif
