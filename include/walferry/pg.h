/* pg: a libpq session for the control path: blocking, one statement at a time.
 *
 * Only lib/io includes libpq-fe.h. Sessions set what changes text output (DateStyle, TimeZone, IntervalStyle,
 * bytea_output, extra_float_digits, client_encoding), an application_name and a statement_timeout. Every
 * option of the connection is the same at each reconnect. Errors carry SQLSTATE; classes 08, 53, 57P and a
 * lost socket are ERR_CONNECT (retry), 28 is ERR_AUTH, 42501 is ERR_PRIVILEGE, all others ERR_SQL. Texts name
 * host, port and database, never the password, and never a row's value (DETAIL is left out, quoted parts of
 * class 22 messages too). Class 40 (deadlock, serialization) is ERR_SQL with the action ERR_RETRY.
 *
 * Waiting for a server never blocks for long: `on_wait` is called at least every 100 ms, so that a caller can
 * pump its loop; where it returns false, the statement is cancelled and the call fails with ERR_STOPPED.
 */
#ifndef WALFERRY_PG_H
#define WALFERRY_PG_H

#include "walferry/err.h"
#include "walferry/lsn.h"
#include "walferry/slice.h"

#include <stdint.h>

struct pg_target {
    const char *uri; /* libpq URI or key=value; where given, the others fill what it lacks */
    const char *host, *port, *database, *user, *password, *sslmode, *sslcert, *sslkey,
        *sslrootcert; /* NULL = unset */
    const char *application_name;
    uint32_t connect_timeout_ms;
    uint32_t statement_timeout_ms; /* 0 = none */
    bool (*on_wait)(void *data);   /* NULL = wait as long as it takes */
    void *wait_data;
};

struct pg;

MUST_CHECK bool pg_connect(const struct pg_target *target, struct pg **pg, struct err *err);
/* replication=database; the same target otherwise. A pooler that refuses it is ERR_POOLER. */
MUST_CHECK bool pg_connect_replication(const struct pg_target *target, struct pg **pg, struct err *err);
void pg_close(struct pg *pg);
int pg_server_version(const struct pg *pg); /* 150004 */
int pg_socket(const struct pg *pg);
/* 0 = none. A server that stays silent a second longer than the timeout is ERR_CONNECT. */
MUST_CHECK bool pg_set_statement_timeout(struct pg *pg, uint32_t timeout_ms, struct err *err);

struct pg_result; /* of a statement that returns rows */

MUST_CHECK bool pg_exec(struct pg *pg, const char *sql, struct err *err);
/* Text parameters, NULL = SQL NULL. `*result` is freed with pg_result_free. */
MUST_CHECK bool pg_query(struct pg *pg, const char *sql, int param_count, const char *const *params,
                         struct pg_result **result, struct err *err);
size_t pg_result_rows(const struct pg_result *result);
/* {NULL,0} for NULL; valid until pg_result_free. */
struct slice pg_result_value(const struct pg_result *result, size_t row, int column);
void pg_result_free(struct pg_result *result);

/* COPY … TO STDOUT: rows one by one. *line points into libpq's buffer (without the newline) and is valid, and
 * may be changed, until the next call. */
enum pg_copy_result { PG_COPY_ROW, PG_COPY_END, PG_COPY_ERROR };
MUST_CHECK bool pg_copy_start(struct pg *pg, const char *sql, struct err *err);
enum pg_copy_result pg_copy_read(struct pg *pg, char **line, size_t *len, struct err *err);

#endif
