/* log: one line per event on stderr, logfmt or JSON.
 *
 *     log_info("stream", "started", LOG_STR("slot", name), LOG_LSN("lsn", lsn));
 *     ts=2026-01-01T00:00:00.000Z level=info mod=stream msg=started slot=walferry lsn=0/16B3748
 *
 * Values of rows and secrets are never logged: fields are names, positions, counts and server messages.
 */
#ifndef WALFERRY_LOG_H
#define WALFERRY_LOG_H

#include "walferry/err.h"
#include "walferry/lsn.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

struct log_field {
    const char *key;
    enum {
        LOG_FIELD_END,
        LOG_FIELD_STR,
        LOG_FIELD_SLICE,
        LOG_FIELD_INT,
        LOG_FIELD_FLOAT,
        LOG_FIELD_LSN
    } kind;
    const char *text;
    struct slice slice;
    int64_t number;
    double real;
};

#define LOG_STR(k, v) ((struct log_field){.key = (k), .kind = LOG_FIELD_STR, .text = (v)})
#define LOG_SLICE(k, v) ((struct log_field){.key = (k), .kind = LOG_FIELD_SLICE, .slice = (v)})
#define LOG_INT(k, v) ((struct log_field){.key = (k), .kind = LOG_FIELD_INT, .number = (int64_t)(v)})
#define LOG_FLOAT(k, v) ((struct log_field){.key = (k), .kind = LOG_FIELD_FLOAT, .real = (v)})
#define LOG_LSN(k, v) ((struct log_field){.key = (k), .kind = LOG_FIELD_LSN, .number = (int64_t)(v)})
#define LOG_END ((struct log_field){.key = NULL})

void log_set(enum log_level level, enum log_format format);

/* `fields` ends with LOG_END; use the macros. */
void log_write(enum log_level level, const char *module, const char *message, const struct log_field *fields);

#define log_at(level, module, message, ...) \
    log_write((level), (module), (message), (const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ) LOG_END})
#define log_debug(module, message, ...) log_at(LOG_DEBUG, module, message, __VA_ARGS__)
#define log_info(module, message, ...) log_at(LOG_INFO, module, message, __VA_ARGS__)
#define log_warn(module, message, ...) log_at(LOG_WARN, module, message, __VA_ARGS__)
#define log_error(module, message, ...) log_at(LOG_ERROR, module, message, __VA_ARGS__)

/* An err as one line: level by its action, fields code, sqlstate, error. */
void log_err(const char *module, const char *message, const struct err *err);

/* The last line of a program that fails: `error: <text>`. */
void log_fatal_line(const struct err *err);

#endif
