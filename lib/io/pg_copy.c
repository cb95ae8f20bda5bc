#include "pg_conn.h"

#include <poll.h>

bool pg_copy_start(struct pg *pg, const char *sql, struct err *err)
{
    PGresult *result = NULL;
    pg_start_clock(pg);
    if (PQsendQuery(pg->conn, sql) == 0)
        return pg_err_lost(err, pg);
    if (!pg_next_result(pg, &result, err))
        return false;
    if (PQresultStatus(result) == PGRES_COPY_OUT) {
        PQclear(result);
        return true;
    }
    (void)pg_err_result(err, pg, result);
    PQclear(result);
    /* The session stays usable: the statement's end is read too. */
    struct err ignored;
    while (pg_next_result(pg, &result, &ignored) && result != NULL)
        PQclear(result);
    return false;
}

/* After the last row: the command's own result, then the end of the statement. */
static enum pg_copy_result finish(struct pg *pg, struct err *err)
{
    enum pg_copy_result outcome = PG_COPY_END;
    PGresult *result = NULL;
    for (;;) {
        if (!pg_next_result(pg, &result, err))
            return PG_COPY_ERROR;
        if (result == NULL)
            return outcome;
        if (PQresultStatus(result) != PGRES_COMMAND_OK && outcome == PG_COPY_END) {
            (void)pg_err_result(err, pg, result);
            outcome = PG_COPY_ERROR;
        }
        PQclear(result);
        if (PQstatus(pg->conn) == CONNECTION_BAD && outcome == PG_COPY_END) {
            (void)pg_err_lost(err, pg);
            return PG_COPY_ERROR;
        }
    }
}

enum pg_copy_result pg_copy_read(struct pg *pg, char **line, size_t *len, struct err *err)
{
    for (;;) {
        PQfreemem(pg->copy_buffer);
        pg->copy_buffer = NULL;
        int got = PQgetCopyData(pg->conn, &pg->copy_buffer, 1);
        if (got < 0)
            return finish(pg, err);
        if (got > 0) {
            *line = pg->copy_buffer;
            *len = (size_t)got;
            if ((*line)[*len - 1] == '\n')
                (*line)[--*len] = '\0';
            return PG_COPY_ROW;
        }
        if (!pg_wait(pg, POLLIN, err) || !pg_consume(pg, err))
            return PG_COPY_ERROR;
    }
}
