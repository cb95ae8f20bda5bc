/* config: one table of keys per program, and the loader that fills a struct from it.
 *
 * The table is the only place where a key exists: the loader, --help, --print-config and
 * docs/CONFIGURATION.md come from it. Order of sources: default < worker file < connector file < environment
 * < --set. Files are Java properties or JSON (Connect's {"name":…,"config":{…}} or a bare map). Values
 * ${file:PATH:KEY}, ${env:NAME},
 * ${dir:PATH:FILE} are resolved; nothing else is expanded.
 */
#ifndef WALFERRY_CONFIG_H
#define WALFERRY_CONFIG_H

#include "walferry/buf.h"
#include "walferry/err.h"

enum config_type {
    CONFIG_STRING,   /* char *, owned by the loader's memory */
    CONFIG_BOOL,     /* bool */
    CONFIG_INT,      /* int64_t; min, max */
    CONFIG_ENUM,     /* int: index into `allowed` */
    CONFIG_ACCEPTED, /* known, has no meaning here (connector.class, tasks.max, key.converter…): ignored */
    CONFIG_UNSUPPORTED, /* Debezium's or Connect's, not supported: an error unless the value equals the
                           default */
};

enum config_flag {
    CONFIG_SECRET = 1,   /* never printed: shown as ******** */
    CONFIG_REQUIRED = 2, /* an error where it is missing */
    CONFIG_RELOAD = 4,   /* SIGHUP may change it */
    CONFIG_PREFIX = 8,   /* `name` is a prefix: producer., consumer., config.providers. … */
};

struct config_key {
    const char *name;
    enum config_type type;
    size_t offset;              /* offsetof the program's config struct */
    const char *fallback;       /* default as text; NULL = none */
    int64_t min, max;           /* INT */
    const char *const *allowed; /* ENUM: NULL-terminated names */
    unsigned flags;
    const char *group; /* heading in the docs: "Source", "Slot and publication", … */
    const char *help;  /* one sentence with the unit */
};

/* The rows both programs have: log_format and log_level (int), listeners (char *) of `target`. */
#define CONFIG_OPERATION_KEYS(target, address)                                             \
    {.name = "walferry.log.format",                                                        \
     .type = CONFIG_ENUM,                                                                  \
     .offset = offsetof(target, log_format),                                               \
     .fallback = "logfmt",                                                                 \
     .allowed = config_log_formats,                                                        \
     .group = "Operation",                                                                 \
     .help = "Form of the log lines on standard error."},                                  \
        {.name = "walferry.log.level",                                                     \
         .type = CONFIG_ENUM,                                                              \
         .offset = offsetof(target, log_level),                                            \
         .fallback = "info",                                                               \
         .allowed = config_log_levels,                                                     \
         .flags = CONFIG_RELOAD,                                                           \
         .group = "Operation",                                                             \
         .help = "Least level that is logged; SIGHUP reloads it."},                        \
    {                                                                                      \
        .name = "listeners", .type = CONFIG_STRING, .offset = offsetof(target, listeners), \
        .fallback = (address), .group = "Operation",                                       \
        .help = "Address of /metrics, /healthz and /readyz; empty for none."               \
    }
extern const char *const config_log_formats[]; /* in the order of enum log_format */
extern const char *const config_log_levels[];  /* of enum log_level */

struct config_table {
    const char *program;           /* "walferry-streamer" */
    const struct config_key *keys; /* ends with name == NULL */
    /* plain environment names: {"TARGET_DB_HOST", "connection.host"}, ends with {NULL, NULL}; may be NULL */
    const struct config_alias {
        const char *environment, *key;
    } * aliases;
};

struct config; /* the effective values as text, with where each came from */

struct config_sources {
    const char *const *files; /* worker, then connector; ends with NULL; a later one wins */
    const char *const *sets;  /* "KEY=VALUE", ends with NULL */
    char **environment;       /* environ */
};

/* Loads and binds into `target`. Warnings (unknown keys with the nearest known name) are logged. An err names
 * file, line, key, value (never a secret's), and what is allowed. */
MUST_CHECK bool config_load(const struct config_table *table, const struct config_sources *sources,
                            void *target, struct config **config, struct err *err);
void config_free(struct config *config); /* the strings in `target` die with it */

/* The effective text of a key, also of ones under a CONFIG_PREFIX; NULL where unset. */
const char *config_get(const struct config *config, const char *name);
bool config_is_set(const struct config *config, const char *name); /* given anywhere, not a default */

/* For what a row cannot express: an err as config_load makes it, with the place of `name`; returns false. */
bool config_refuse(const struct config *config, const char *name, const char *allowed, struct err *err);

/* Each effective key under a prefix, e.g. "producer."; `name` is without the prefix. */
void config_each(const struct config *config, const char *prefix,
                 void (*each)(void *data, const char *name, const char *value), void *data);

void config_print(const struct config *config,
                  struct buf *out); /* --print-config: key=value, secrets hidden */
void config_write_docs(const struct config_table *table, struct buf *out); /* markdown table(s) by group */
void config_write_help(const struct config_table *table, struct buf *out); /* plain text */

#endif
