/* pg_conn: what the files of lib/io that speak libpq share. */
#ifndef WALFERRY_IO_PG_CONN_H
#define WALFERRY_IO_PG_CONN_H

#include "walferry/pg.h"

#include <libpq-fe.h>

struct pg {
    PGconn *conn;
    char place[192];               /* "host:port/database", for error texts */
    uint32_t statement_timeout_ms; /* 0 = none */
    int64_t deadline_us;           /* monotonic: of the statement that runs; 0 = none */
    char *copy_buffer;             /* libpq's memory of the COPY row handed out last */
    bool (*on_wait)(void *data);
    void *wait_data;
};

/* Begins the time of a statement. The server ends a slow one by itself; a server that does not answer at all
 * is given up a little later. */
void pg_start_clock(struct pg *pg);

/* Waits until the socket has one of `events` (poll's). */
MUST_CHECK bool pg_wait(struct pg *pg, short events, struct err *err);

/* Takes what the socket has. Under TLS libpq may leave the rest of a record where poll does not see it; it
 * makes room for at least half a record per call, so three calls take all of it. */
MUST_CHECK bool pg_consume(struct pg *pg, struct err *err);

/* Sends what libpq holds back and waits for the next result without blocking the caller's loop. NULL in
 * *result: the statement is over. */
MUST_CHECK bool pg_next_result(struct pg *pg, PGresult **result, struct err *err);

/* Fill err and return false: a failed result, a failed attempt to connect, a broken connection. */
bool pg_err_result(struct err *err, const struct pg *pg, const PGresult *result);
bool pg_err_connect(struct err *err, const struct pg *pg, bool replication);
bool pg_err_lost(struct err *err, const struct pg *pg);

#endif
