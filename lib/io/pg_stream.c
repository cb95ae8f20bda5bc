#include "walferry/pg_stream.h"

#include "pg_conn.h"

#include "walferry/clock.h"

#include <endian.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define XLOG_HEADER_SIZE 25
#define KEEPALIVE_SIZE 18
#define STATUS_SIZE 34
#define CLOSE_TIMEOUT_US 1000000
#define READ_PIECE 8192
#define READ_BYTES_MAX 131072

/* PostgreSQL counts from 2000-01-01. */
#define POSTGRES_EPOCH_US (INT64_C(946684800) * 1000000)

struct pg_stream {
    struct pg *pg;
    char *buffer; /* libpq's memory of the message handed out last */
    bool failed;  /* nothing more is sent */
};

static uint64_t read_u64(const char *at)
{
    uint64_t wire;
    (void)memcpy(&wire, at, sizeof(wire));
    return be64toh(wire);
}

static void write_u64(char *at, uint64_t value)
{
    uint64_t wire = htobe64(value);
    (void)memcpy(at, &wire, sizeof(wire));
}

/* ---- start ---- */

static bool append_quoted(char **at, const char *end, const char *text, char quote)
{
    if (end - *at < 3)
        return false;
    *(*at)++ = quote;
    for (; *text != '\0'; text++) {
        if (end - *at < 4)
            return false;
        if (*text == quote)
            *(*at)++ = quote;
        *(*at)++ = *text;
    }
    *(*at)++ = quote;
    **at = '\0';
    return true;
}

/* publication_names is a list of identifiers inside a literal, so it is quoted twice. */
static bool build_command(char *sql, size_t size, const struct pg_stream_options *options)
{
    char slot[160], publication[160], literal[400];
    char *at = slot;
    if (!append_quoted(&at, slot + sizeof(slot), options->slot, '"'))
        return false;
    at = publication;
    if (!append_quoted(&at, publication + sizeof(publication), options->publication, '"'))
        return false;
    at = literal;
    if (!append_quoted(&at, literal + sizeof(literal), publication, '\''))
        return false;
    int len =
        snprintf(sql, size,
                 "START_REPLICATION SLOT %s LOGICAL " LSN_FMT " (proto_version '1', publication_names %s%s)",
                 slot, LSN_ARG(options->start_lsn), literal, options->messages ? ", messages 'true'" : "");
    return len > 0 && (size_t)len < size;
}

static bool start_failed(struct pg *pg, const PGresult *result, struct err *err)
{
    (void)pg_err_result(err, pg, result);
    if (strcmp(err->sqlstate, "55006") != 0)
        return false;
    struct err busy = *err;
    (void)err_set(err, ERR_SLOT_BUSY, "%s", busy.text);
    (void)memcpy(err->sqlstate, busy.sqlstate, sizeof(err->sqlstate));
    return false;
}

static bool start_command(struct pg *pg, const struct pg_stream_options *options, struct err *err)
{
    char sql[1024];
    PGresult *result = NULL;
    if (!build_command(sql, sizeof(sql), options))
        return err_set(err, ERR_CONFIG, "slot.name or publication.name is longer than a name may be");
    pg_start_clock(pg);
    if (PQsendQuery(pg->conn, sql) == 0)
        return pg_err_lost(err, pg);
    if (!pg_next_result(pg, &result, err))
        return false;
    bool ok = PQresultStatus(result) == PGRES_COPY_BOTH;
    if (!ok)
        (void)start_failed(pg, result, err);
    PQclear(result);
    return ok;
}

bool pg_stream_start(struct pg *replication, const struct pg_stream_options *options,
                     struct pg_stream **stream, struct err *err)
{
    if (!start_command(replication, options, err)) {
        pg_close(replication);
        return false;
    }
    (void)PQsetnonblocking(replication->conn, 1);
    struct pg_stream *made = calloc(1, sizeof(*made));
    if (made == NULL)
        abort();
    made->pg = replication;
    *stream = made;
    return true;
}

int pg_stream_socket(const struct pg_stream *stream)
{
    return PQsocket(stream->pg->conn);
}

/* ---- reading ---- */

static enum pg_stream_result broken(struct pg_stream *stream, struct err *err, const char *what, int len)
{
    stream->failed = true;
    (void)err_set(err, ERR_PROTOCOL, "%s: replication stream: %s of %d bytes", stream->pg->place, what, len);
    return PG_STREAM_ERROR;
}

static enum pg_stream_result parse(struct pg_stream *stream, int len, struct pg_stream_data *data,
                                   struct err *err)
{
    const char *bytes = stream->buffer;
    *data = (struct pg_stream_data){.start_lsn = LSN_NONE};
    if (bytes[0] == 'w') {
        if (len < XLOG_HEADER_SIZE)
            return broken(stream, err, "XLogData", len);
        data->start_lsn = read_u64(bytes + 1);
        data->wal_end = read_u64(bytes + 9);
        data->server_time_us = (int64_t)read_u64(bytes + 17) + POSTGRES_EPOCH_US;
        data->bytes = (struct slice){bytes + XLOG_HEADER_SIZE, (size_t)len - XLOG_HEADER_SIZE};
        return PG_STREAM_MESSAGE;
    }
    if (bytes[0] != 'k' || len < KEEPALIVE_SIZE)
        return broken(stream, err, "a message of unknown kind", len);
    data->wal_end = read_u64(bytes + 1);
    data->server_time_us = (int64_t)read_u64(bytes + 9) + POSTGRES_EPOCH_US;
    data->reply_requested = bytes[17] != 0;
    return PG_STREAM_KEEPALIVE;
}

/* The stream is over: in order, or with the error that the server gave. */
static enum pg_stream_result ended(struct pg_stream *stream, struct err *err)
{
    PGresult *result = NULL;
    stream->failed = true;
    if (!pg_next_result(stream->pg, &result, err))
        return PG_STREAM_ERROR;
    ExecStatusType status = PQresultStatus(result);
    enum pg_stream_result outcome = PG_STREAM_ERROR;
    if (status == PGRES_COMMAND_OK || status == PGRES_COPY_IN)
        outcome = PG_STREAM_END;
    else if (result == NULL)
        (void)pg_err_lost(err, stream->pg);
    else
        (void)pg_err_result(err, stream->pg, result);
    PQclear(result);
    return outcome;
}

enum pg_stream_result pg_stream_next(struct pg_stream *stream, struct pg_stream_data *data, struct err *err)
{
    PQfreemem(stream->buffer);
    stream->buffer = NULL;
    int len = PQgetCopyData(stream->pg->conn, &stream->buffer, 1);
    if (len == 0)
        return PG_STREAM_WAIT;
    if (len == -1)
        return ended(stream, err);
    if (len < 0) {
        stream->failed = true;
        (void)pg_err_lost(err, stream->pg);
        return PG_STREAM_ERROR;
    }
    return parse(stream, len, data, err);
}

static size_t queued_bytes(const struct pg_stream *stream)
{
    int queued = 0;
    return ioctl(PQsocket(stream->pg->conn), FIONREAD, &queued) == 0 && queued > 0 ? (size_t)queued : 0;
}

/* libpq takes what its buffer has room for, at least READ_PIECE, and makes room at the next call; so the
 * buffer grows to what a read usually finds, and the limit is on what was found, not on what was taken. */
bool pg_stream_read(struct pg_stream *stream, struct err *err)
{
    size_t queued = queued_bytes(stream), found = queued;
    for (;;) {
        if (!pg_consume(stream->pg, err)) {
            stream->failed = true;
            return false;
        }
        if (queued < READ_PIECE || found >= READ_BYTES_MAX)
            return true;
        queued = queued_bytes(stream);
        if (queued < READ_PIECE)
            return true;
        found += queued;
    }
}

bool pg_stream_is_tcp(const struct pg_stream *stream)
{
    struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof(address);
    return getsockname(PQsocket(stream->pg->conn), (struct sockaddr *)&address, &len) == 0 &&
           (address.ss_family == AF_INET || address.ss_family == AF_INET6);
}

/* ---- status ---- */

bool pg_stream_send_status(struct pg_stream *stream, lsn_t confirmed, struct err *err)
{
    char status[STATUS_SIZE];
    status[0] = 'r';
    write_u64(status + 1, confirmed);
    write_u64(status + 9, confirmed);
    write_u64(status + 17, confirmed);
    write_u64(status + 25, (uint64_t)(clock_wall_us() - POSTGRES_EPOCH_US));
    status[33] = 0;
    if (PQputCopyData(stream->pg->conn, status, sizeof(status)) >= 0 && PQflush(stream->pg->conn) >= 0)
        return true;
    stream->failed = true;
    return pg_err_lost(err, stream->pg);
}

/* Ends the COPY in order and reads the rest, so that the server sees the last status before the connection
 * goes; a server in the middle of a large transaction is not waited for longer than a second. */
static void end_copy(struct pg_stream *stream)
{
    PGconn *conn = stream->pg->conn;
    int64_t deadline_us = clock_monotonic_us() + CLOSE_TIMEOUT_US;
    if (PQputCopyEnd(conn, NULL) < 0)
        return;
    while (clock_monotonic_us() < deadline_us) {
        int pending = PQflush(conn);
        struct pollfd fd = {.fd = PQsocket(conn), .events = (short)(pending > 0 ? POLLIN | POLLOUT : POLLIN)};
        if (pending < 0 || poll(&fd, 1, 100) < 0 || PQconsumeInput(conn) == 0)
            return;
        int len;
        do {
            PQfreemem(stream->buffer);
            stream->buffer = NULL;
            len = PQgetCopyData(conn, &stream->buffer, 1);
        } while (len > 0);
        if (len < 0)
            return;
    }
}

void pg_stream_close(struct pg_stream *stream)
{
    if (stream == NULL)
        return;
    if (!stream->failed)
        end_copy(stream);
    PQfreemem(stream->buffer);
    pg_close(stream->pg);
    free(stream);
}
