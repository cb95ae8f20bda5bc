#include "walferry/pg_pipeline.h"

#include "pg_conn.h"

#include <assert.h>
#include <stdlib.h>

enum sent_kind { SENT_STATEMENT, SENT_PREPARE, SENT_SYNC };

struct sent {
    uint64_t tag;
    enum sent_kind kind;
};

struct pg_pipeline {
    struct pg *pg;
    struct sent *ring; /* what was sent and not answered, oldest at `first` */
    size_t first, count, capacity;
    size_t unasked; /* sent since the server was last told to answer */
    bool unsent;    /* libpq holds bytes that the socket did not take */
    /* The answer of the oldest, between libpq's result and the NULL that ends it. */
    bool has_answer;
    enum pg_pipeline_result answer;
    int64_t answer_rows;
    struct err answer_err;
};

#define RING_FIRST_CAPACITY 256

/* Answers are asked for at least this often, so that the server's output and our bookkeeping stay short. */
#define ASK_EVERY 64

bool pg_pipeline_start(struct pg *pg, struct pg_pipeline **pipeline, struct err *err)
{
    if (PQsetnonblocking(pg->conn, 1) != 0 || PQenterPipelineMode(pg->conn) != 1) {
        (void)pg_err_lost(err, pg);
        pg_close(pg);
        return false;
    }
    struct pg_pipeline *made = calloc(1, sizeof(*made));
    if (made == NULL)
        abort();
    made->pg = pg;
    *pipeline = made;
    return true;
}

int pg_pipeline_socket(const struct pg_pipeline *pipeline)
{
    return PQsocket(pipeline->pg->conn);
}

bool pg_pipeline_wants_write(const struct pg_pipeline *pipeline)
{
    return pipeline->unsent;
}

size_t pg_pipeline_in_flight(const struct pg_pipeline *pipeline)
{
    return pipeline->count;
}

void pg_pipeline_close(struct pg_pipeline *pipeline)
{
    if (pipeline == NULL)
        return;
    pg_close(pipeline->pg);
    free(pipeline->ring);
    free(pipeline);
}

/* ---- sending ---- */

static void grow(struct pg_pipeline *pipeline)
{
    size_t capacity = pipeline->capacity > 0 ? pipeline->capacity * 2 : RING_FIRST_CAPACITY;
    struct sent *ring = calloc(capacity, sizeof(*ring));
    if (ring == NULL)
        abort();
    for (size_t i = 0; i < pipeline->count; i++)
        ring[i] = pipeline->ring[(pipeline->first + i) % pipeline->capacity];
    free(pipeline->ring);
    pipeline->ring = ring;
    pipeline->first = 0;
    pipeline->capacity = capacity;
}

static bool ask(struct pg_pipeline *pipeline, struct err *err)
{
    if (pipeline->unasked == 0)
        return true;
    if (PQsendFlushRequest(pipeline->pg->conn) == 0)
        return pg_err_lost(err, pipeline->pg);
    pipeline->unasked = 0;
    return true;
}

static bool was_sent(struct pg_pipeline *pipeline, int sent, struct sent what, struct err *err)
{
    if (sent == 0)
        return pg_err_lost(err, pipeline->pg);
    if (pipeline->count == pipeline->capacity)
        grow(pipeline);
    pipeline->ring[(pipeline->first + pipeline->count) % pipeline->capacity] = what;
    pipeline->count++;
    pipeline->unasked = what.kind == SENT_SYNC ? 0 : pipeline->unasked + 1;
    return pipeline->unasked < ASK_EVERY || ask(pipeline, err);
}

bool pg_pipeline_prepare(struct pg_pipeline *pipeline, const char *name, const char *sql, uint64_t tag,
                         struct err *err)
{
    int sent = PQsendPrepare(pipeline->pg->conn, name, sql, 0, NULL);
    return was_sent(pipeline, sent, (struct sent){tag, SENT_PREPARE}, err);
}

bool pg_pipeline_send(struct pg_pipeline *pipeline, const char *name, int param_count,
                      const char *const *values, uint64_t tag, struct err *err)
{
    int sent = PQsendQueryPrepared(pipeline->pg->conn, name, param_count, values, NULL, NULL, 0);
    return was_sent(pipeline, sent, (struct sent){tag, SENT_STATEMENT}, err);
}

bool pg_pipeline_send_text(struct pg_pipeline *pipeline, const char *sql, int param_count,
                           const char *const *values, uint64_t tag, struct err *err)
{
    int sent = PQsendQueryParams(pipeline->pg->conn, sql, param_count, NULL, values, NULL, NULL, 0);
    return was_sent(pipeline, sent, (struct sent){tag, SENT_STATEMENT}, err);
}

bool pg_pipeline_sync(struct pg_pipeline *pipeline, uint64_t tag, struct err *err)
{
    int sent = PQpipelineSync(pipeline->pg->conn);
    return was_sent(pipeline, sent, (struct sent){tag, SENT_SYNC}, err);
}

bool pg_pipeline_flush(struct pg_pipeline *pipeline, struct err *err)
{
    if (!ask(pipeline, err))
        return false;
    int flushed = PQflush(pipeline->pg->conn);
    if (flushed < 0)
        return pg_err_lost(err, pipeline->pg);
    pipeline->unsent = flushed > 0;
    return true;
}

/* ---- answers ---- */

bool pg_pipeline_read(struct pg_pipeline *pipeline, struct err *err)
{
    return PQconsumeInput(pipeline->pg->conn) == 1 || pg_err_lost(err, pipeline->pg);
}

static int64_t count_rows(PGresult *result)
{
    const char *text = PQcmdTuples(result);
    return text[0] != '\0' ? strtoll(text, NULL, 10) : 0;
}

static void keep_answer(struct pg_pipeline *pipeline, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (pipeline->has_answer && pipeline->answer == PG_PIPELINE_FAILED)
        return; /* the first error of a statement is its answer */
    pipeline->has_answer = true;
    pipeline->answer_rows = 0;
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
        pipeline->answer = PG_PIPELINE_DONE;
        pipeline->answer_rows = count_rows(result);
    } else if (status == PGRES_PIPELINE_ABORTED) {
        pipeline->answer = PG_PIPELINE_SKIPPED;
    } else {
        pipeline->answer = PG_PIPELINE_FAILED;
        (void)pg_err_result(&pipeline->answer_err, pipeline->pg, result);
    }
}

static struct sent take_oldest(struct pg_pipeline *pipeline)
{
    assert(pipeline->count > 0);
    struct sent oldest = pipeline->ring[pipeline->first];
    pipeline->first = (pipeline->first + 1) % pipeline->capacity;
    pipeline->count--;
    pipeline->has_answer = false;
    return oldest;
}

enum outcome { OUTCOME_MORE, OUTCOME_RETURN };

/* The oldest statement is answered. A prepare is heard of only where it failed. */
static enum outcome finish_oldest(struct pg_pipeline *pipeline, uint64_t *tag,
                                  enum pg_pipeline_result *result)
{
    struct sent oldest = take_oldest(pipeline);
    *tag = oldest.tag;
    *result = pipeline->answer;
    return oldest.kind == SENT_PREPARE && *result == PG_PIPELINE_DONE ? OUTCOME_MORE : OUTCOME_RETURN;
}

enum pg_pipeline_result pg_pipeline_next(struct pg_pipeline *pipeline, uint64_t *tag, int64_t *rows_affected,
                                         struct err *err)
{
    PGconn *conn = pipeline->pg->conn;
    enum pg_pipeline_result result = PG_PIPELINE_WAIT;
    while (pipeline->count > 0 && PQisBusy(conn) == 0) {
        PGresult *answer = PQgetResult(conn);
        if (answer != NULL && PQresultStatus(answer) == PGRES_PIPELINE_SYNC) {
            PQclear(answer);
            *tag = take_oldest(pipeline).tag;
            return PG_PIPELINE_SYNCED;
        }
        if (answer != NULL) {
            keep_answer(pipeline, answer);
            PQclear(answer);
        }
        if (PQstatus(conn) == CONNECTION_BAD)
            break;
        if (answer != NULL || !pipeline->has_answer)
            continue;
        if (finish_oldest(pipeline, tag, &result) == OUTCOME_RETURN) {
            *rows_affected = pipeline->answer_rows;
            if (result == PG_PIPELINE_FAILED)
                *err = pipeline->answer_err;
            return result;
        }
    }
    if (PQstatus(conn) != CONNECTION_BAD)
        return PG_PIPELINE_WAIT;
    if (pipeline->has_answer && pipeline->answer == PG_PIPELINE_FAILED)
        *err = pipeline->answer_err; /* the server's last words, e.g. 57P01 */
    else
        (void)pg_err_lost(err, pipeline->pg);
    return PG_PIPELINE_LOST;
}
