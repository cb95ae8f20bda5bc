/* pg_pipeline: the applier's session: libpq's pipeline mode, non-blocking, polled by the loop.
 *
 * Statements are prepared once by name and then sent with text parameters; results come back in order and are
 * matched to the statement's tag. The caller bounds what is in flight.
 *
 *     send, send, …, flush → the server works and answers → read, next, next, … WAIT
 *
 * The server holds answers back until it is told to send them: flush asks for them. After the first FAILED
 * statement the server skips everything up to the next sync; callers give the session up instead, since
 * nothing they sent behind it can count.
 * Source: PostgreSQL documentation 34.5 "Pipeline Mode".
 */
#ifndef WALFERRY_PG_PIPELINE_H
#define WALFERRY_PG_PIPELINE_H

#include "walferry/pg.h"
#include "walferry/slice.h"

struct pg_pipeline;

/* Takes the session over (also on failure). */
MUST_CHECK bool pg_pipeline_start(struct pg *pg, struct pg_pipeline **pipeline, struct err *err);
int pg_pipeline_socket(const struct pg_pipeline *pipeline);
/* The last flush could not hand everything to the kernel: call flush again when the socket is writable. */
bool pg_pipeline_wants_write(const struct pg_pipeline *pipeline);
/* Statements, prepares and syncs whose result was not returned yet. */
size_t pg_pipeline_in_flight(const struct pg_pipeline *pipeline);
void pg_pipeline_close(struct pg_pipeline *pipeline);

/* `tag` is heard of again only where it fails. */
MUST_CHECK bool pg_pipeline_prepare(struct pg_pipeline *pipeline, const char *name, const char *sql,
                                    uint64_t tag, struct err *err);
/* `tag` comes back with the result. values[i] == NULL is NULL; texts are NUL-terminated; copied. */
MUST_CHECK bool pg_pipeline_send(struct pg_pipeline *pipeline, const char *name, int param_count,
                                 const char *const *values, uint64_t tag, struct err *err);
/* A statement without a prepared name (BEGIN, COMMIT, TRUNCATE …); `values` as above. */
MUST_CHECK bool pg_pipeline_send_text(struct pg_pipeline *pipeline, const char *sql, int param_count,
                                      const char *const *values, uint64_t tag, struct err *err);
/* Ends a unit: the server answers up to here, errors skip to here. */
MUST_CHECK bool pg_pipeline_sync(struct pg_pipeline *pipeline, uint64_t tag, struct err *err);
/* Asks the server for the answers so far and writes what the socket takes; never blocks. */
MUST_CHECK bool pg_pipeline_flush(struct pg_pipeline *pipeline, struct err *err);
MUST_CHECK bool pg_pipeline_read(struct pg_pipeline *pipeline,
                                 struct err *err); /* when the socket is readable */

enum pg_pipeline_result {
    PG_PIPELINE_DONE,    /* statement `tag` succeeded; rows_affected is set */
    PG_PIPELINE_FAILED,  /* statement `tag` failed: err has why */
    PG_PIPELINE_SKIPPED, /* not executed, because an earlier one of its unit failed */
    PG_PIPELINE_SYNCED,  /* the unit that ended with sync `tag` is answered */
    PG_PIPELINE_WAIT,
    PG_PIPELINE_LOST, /* the connection is gone: err has why */
};
enum pg_pipeline_result pg_pipeline_next(struct pg_pipeline *pipeline, uint64_t *tag, int64_t *rows_affected,
                                         struct err *err);

#endif
