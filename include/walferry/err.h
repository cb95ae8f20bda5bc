/* err: why an operation failed, complete enough to print as it is.
 *
 * A function that can fail returns bool (or its own outcome enum) and takes `struct err *err` last. On false,
 * err is complete and printable; on true it is untouched. The code says what happened, the action says what
 * the caller does about it; each program obeys the action in exactly one place. No allocation, so a struct
 * err may be copied and kept.
 *
 *     if (!slot_create(pg, name, err))
 *         return false;                                        // passes the reason on
 *     return err_set(err, ERR_SLOT_BUSY, "slot \"%s\" is in use by pid %d", name, pid);
 *
 * The codes are one table: enum, name, action and the remedy in docs/ERRORS.md come from it. Texts never hold
 * a row's value or a secret.
 */
#ifndef WALFERRY_ERR_H
#define WALFERRY_ERR_H

#include <stdarg.h>
#include <stdbool.h>

enum err_action {
    ERR_RETRY, /* the peer may recover: reconnect with backoff */
    ERR_FATAL, /* a person has to act: exit with 1 */
    ERR_USAGE, /* the command line or a configuration file is wrong: exit with 2 */
};

/* code, name in logs and docs, action, what it means and what to do */
#define ERR_CODES(X)                                                                                         \
    X(ERR_NONE, "none", ERR_FATAL, "no error")                                                               \
    X(ERR_CONFIG, "config", ERR_USAGE, "a configuration file or an option is wrong; the line names it")      \
    X(ERR_PROTOCOL, "protocol", ERR_FATAL, "bytes from a peer break the protocol; report it with the line")  \
    X(ERR_LIMIT, "limit", ERR_FATAL, "a named limit was reached; the line names it and how to raise it")     \
    X(ERR_CONNECT, "connect", ERR_RETRY, "a server cannot be reached or went away; it is tried again")       \
    X(ERR_AUTH, "auth", ERR_FATAL, "a server refused the user or the password; correct them and restart")    \
    X(ERR_PRIVILEGE, "privilege", ERR_FATAL,                                                                 \
      "the role lacks a right; the line names the GRANT or ALTER ROLE")                                      \
    X(ERR_SQL, "sql", ERR_FATAL, "PostgreSQL refused a statement; the line has its message and SQLSTATE")    \
    X(ERR_POOLER, "pooler", ERR_FATAL,                                                                       \
      "replication was asked of a connection pooler; connect to the server")                                 \
    X(ERR_WAL_LEVEL, "wal_level", ERR_FATAL,                                                                 \
      "the source does not write logical WAL; set wal_level=logical and restart it")                         \
    X(ERR_SLOT_FULL, "slot_full", ERR_FATAL,                                                                 \
      "no free replication slot; raise max_replication_slots or drop an unused one")                         \
    X(ERR_SLOT_BUSY, "slot_busy", ERR_RETRY, "another process streams from the slot; this one waits for it") \
    X(ERR_SLOT_FOREIGN, "slot_foreign", ERR_FATAL,                                                           \
      "the slot belongs to another plugin or database; choose another slot.name")                            \
    X(ERR_SLOT_LOST, "slot_lost", ERR_FATAL,                                                                 \
      "the slot is missing, invalidated, recreated or moved past the stored position; the line names the "   \
      "LSN range in doubt")                                                                                  \
    X(ERR_SOURCE_CHANGED, "source_changed", ERR_FATAL,                                                       \
      "the source has another system identifier or timeline than the stored position")                       \
    X(ERR_PUBLICATION, "publication", ERR_FATAL, "the publication is missing and may not be created")        \
    X(ERR_ROW_SECURITY, "row_security", ERR_FATAL,                                                           \
      "row-level security would hide rows from this role; grant BYPASSRLS or use the owner")                 \
    X(ERR_REPLICA_IDENTITY, "replica_identity", ERR_FATAL,                                                   \
      "a row cannot be found on the target; give the table a key or REPLICA IDENTITY FULL")                  \
    X(ERR_TYPE, "type", ERR_FATAL, "a value cannot be converted; the line names table, column and type")     \
    X(ERR_TARGET_SCHEMA, "target_schema", ERR_FATAL,                                                         \
      "a table or column is missing on the target; create it and restart")                                   \
    X(ERR_TARGET_CONSTRAINT, "target_constraint", ERR_FATAL,                                                 \
      "the target refused a row by a constraint; the line names it")                                         \
    X(ERR_ROW_MISSING, "row_missing", ERR_FATAL,                                                             \
      "an update or delete met no row on the target; target and source differ")                              \
    X(ERR_EVENT, "event", ERR_FATAL,                                                                         \
      "an event is not one that walferry or Debezium writes; the line has its place")                        \
    X(ERR_ORDER, "order", ERR_FATAL,                                                                         \
      "events arrive in an order that no source can produce; nothing of the transaction was applied")        \
    X(ERR_FENCED, "fenced", ERR_FATAL,                                                                       \
      "another applier has taken over the source; nothing of this one's transaction was committed")          \
    X(ERR_LOCK_BUSY, "lock_busy", ERR_RETRY, "another applier owns the source; this one waits for it")       \
    X(ERR_LOG_FOREIGN, "log_foreign", ERR_FATAL,                                                             \
      "the local log file is damaged or not walferry's; nothing was written to it")                          \
    X(ERR_LOG_LOCKED, "log_locked", ERR_RETRY,                                                               \
      "another process writes the local log; the line names its pid, this one waits for it")                 \
    X(ERR_LOG_TRIMMED, "log_trimmed", ERR_FATAL,                                                             \
      "records that are still needed were trimmed from the local log")                                       \
    X(ERR_DISK, "disk", ERR_RETRY,                                                                           \
      "a disk is full or refuses to write; nothing was confirmed, it is tried again")                        \
    X(ERR_OUTPUT, "output", ERR_FATAL, "standard output was closed")                                         \
    X(ERR_SYSTEM, "system", ERR_FATAL, "the operating system refused a call; the line has its message")      \
    X(ERR_STOPPED, "stopped", ERR_FATAL, "the program was asked to stop in the middle of the operation")

#define ERR_CODE_ENUM(code, name, action, help) code,
enum err_code { ERR_CODES(ERR_CODE_ENUM) ERR_CODE_COUNT };
#undef ERR_CODE_ENUM

struct err {
    enum err_code code;
    enum err_action action; /* the code's own, unless err_set_action changed it */
    char sqlstate[6];       /* five characters, or "" where no server said one */
    char text[512];         /* one line, no newline, says what, where and what to do */
};

/* Fills err (cutting the text at its size) and returns false, so that a caller can return it. */
bool err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool err_setv(struct err *err, enum err_code code, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Puts `prefix: ` before the text, for instance the file and line; returns false. */
bool err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#ifdef __clang_analyzer__
/* The analyzer sees one file at a time: without this it goes on as if the operation had not failed. */
#define err_set(...) ((void)err_set(__VA_ARGS__), false)
#define err_prefix(...) ((void)err_prefix(__VA_ARGS__), false)
#endif

/* The row of the table: never NULL. */
const char *err_code_name(enum err_code code);
const char *err_code_help(enum err_code code);
enum err_action err_code_action(enum err_code code);

/* The exit code a program ends with: 1 or 2. */
int err_exit_code(const struct err *err);

/* Marks functions whose result must be looked at. */
#define MUST_CHECK __attribute__((warn_unused_result))

#endif
