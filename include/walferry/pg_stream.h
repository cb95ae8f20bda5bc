/* pg_stream: START_REPLICATION … LOGICAL and its COPY BOTH stream, polled by the loop.
 *
 *   XLogData  'w'  start LSN i64 · end of WAL i64 · server time i64 · one pgoutput message
 *   Keepalive 'k'  end of WAL i64 · server time i64 · reply requested i8
 *   Status    'r'  written i64 · flushed i64 · applied i64 · client time i64 · reply requested i8
 * Source: PostgreSQL documentation 55.4 "Streaming Replication Protocol".
 */
#ifndef WALFERRY_PG_STREAM_H
#define WALFERRY_PG_STREAM_H

#include "walferry/pg.h"
#include "walferry/slice.h"

struct pg_stream;

struct pg_stream_options {
    const char *slot;
    const char *publication;
    lsn_t start_lsn;
    bool messages; /* server 14+ */
    bool origin_supported;
};

/* Takes the replication session over (also on failure). ERR_SLOT_BUSY where the slot is active (55006). */
MUST_CHECK bool pg_stream_start(struct pg *replication, const struct pg_stream_options *options,
                                struct pg_stream **stream, struct err *err);
int pg_stream_socket(const struct pg_stream *stream);

enum pg_stream_result {
    PG_STREAM_MESSAGE,   /* one pgoutput message, borrowed until the next call */
    PG_STREAM_KEEPALIVE, /* wal_end and reply_requested are set */
    PG_STREAM_WAIT,      /* nothing more without reading the socket */
    PG_STREAM_END,       /* the server ended the stream in order */
    PG_STREAM_ERROR,
};
struct pg_stream_data {
    lsn_t start_lsn; /* MESSAGE */
    lsn_t wal_end;
    int64_t server_time_us; /* Unix epoch */
    struct slice bytes;     /* MESSAGE */
    bool reply_requested;   /* KEEPALIVE */
};
enum pg_stream_result pg_stream_next(struct pg_stream *stream, struct pg_stream_data *data, struct err *err);
/* Reads what the socket has, in pieces until little is left or 128 KB were found; never waits. Then
 * pg_stream_next until WAIT. */
MUST_CHECK bool pg_stream_read(struct pg_stream *stream, struct err *err);

bool pg_stream_is_tcp(const struct pg_stream *stream); /* no unix socket */

/* Never blocks: what the socket does not take now is sent by later calls. written is reported as flushed. */
MUST_CHECK bool pg_stream_send_status(struct pg_stream *stream, lsn_t confirmed, struct err *err);
void pg_stream_close(struct pg_stream *stream);

#endif
