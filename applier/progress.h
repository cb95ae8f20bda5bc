/* progress: how far a source is applied, kept in the target in table walferry.progress.
 *
 * One row per source, moved in the same transaction as the rows it covers. An owner raises `epoch` when it
 * takes over, and each move names the epoch and the offset it starts from: where either is another, the
 * statement fails (division by zero), and with it the transaction. So a stopped owner that wakes up again
 * cannot commit, and no transaction can be applied twice or left out.
 */
#ifndef APPLIER_PROGRESS_H
#define APPLIER_PROGRESS_H

#include "walferry/pg.h"
#include "walferry/pg_pipeline.h"

#define SERVER_NAME_SIZE 256

struct progress {
    int64_t epoch;
    int64_t offset;                /* of the last record that is applied; 0 = none */
    lsn_t end_lsn;                 /* END's LSN of the last applied source transaction; 0 = none */
    uint32_t xid;                  /* of it */
    int64_t commit_time_ms;        /* of it */
    bool snapshot_begun;           /* a snapshot row was applied */
    bool snapshot_complete;        /* and the last one, or a transaction behind it */
    char server[SERVER_NAME_SIZE]; /* topic prefix of the events; "" = none seen yet */
};

/* Creates schema and table where they are absent. */
MUST_CHECK bool progress_prepare(struct pg *pg, struct err *err);
/* Raises the epoch and reads the row, which it creates for a new source. */
MUST_CHECK bool progress_take(struct pg *pg, const char *source, struct progress *progress, struct err *err);
/* Reads the row without touching anything; *found = false where there is none, or no table. */
MUST_CHECK bool progress_peek(struct pg *pg, const char *source, struct progress *progress, bool *found,
                              struct err *err);
/* Sends the move from `from` to `to`; fails on the server with PROGRESS_FENCED_STATE. */
MUST_CHECK bool progress_send(struct pg_pipeline *pipeline, const char *source, const struct progress *from,
                              const struct progress *to, uint64_t tag, struct err *err);
#define PROGRESS_FENCED_STATE "22012"

/* Another source id with the same topic prefix has been applied here: a local log that was made anew would be
 * read from its start over rows that are there already. */
MUST_CHECK bool progress_check_server(struct pg *pg, const char *source, const char *server, struct err *err);

#endif
