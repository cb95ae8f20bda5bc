#include "pg_conn.h"

#include "walferry/clock.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_SLICE_MS 100
#define SILENCE_MS 1000 /* beyond statement_timeout, before the server counts as gone */

void pg_start_clock(struct pg *pg)
{
    pg->deadline_us = 0;
    if (pg->statement_timeout_ms > 0)
        pg->deadline_us = clock_monotonic_us() + ((int64_t)pg->statement_timeout_ms + SILENCE_MS) * 1000;
}

bool pg_wait(struct pg *pg, short events, struct err *err)
{
    for (;;) {
        struct pollfd fd = {.fd = PQsocket(pg->conn), .events = events};
        if (fd.fd < 0)
            return pg_err_lost(err, pg);
        int ready = poll(&fd, 1, WAIT_SLICE_MS);
        if (pg->on_wait != NULL && !pg->on_wait(pg->wait_data))
            return err_set(err, ERR_STOPPED, "stopped while %s was waited for", pg->place);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return err_set(err, ERR_SYSTEM, "poll: %s", strerror(errno));
        if (pg->deadline_us != 0 && clock_monotonic_us() > pg->deadline_us)
            return err_set(err, ERR_CONNECT, "%s does not answer", pg->place);
    }
}

bool pg_consume(struct pg *pg, struct err *err)
{
    int calls = PQsslInUse(pg->conn) != 0 ? 3 : 1;
    for (int i = 0; i < calls; i++) {
        if (PQconsumeInput(pg->conn) == 0)
            return pg_err_lost(err, pg);
    }
    return true;
}

/* ---- connecting ---- */

#define PARAMETERS_MAX 20

struct parameters {
    const char *names[PARAMETERS_MAX + 1], *values[PARAMETERS_MAX + 1];
    size_t count;
};

static void add(struct parameters *parameters, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    assert(parameters->count < PARAMETERS_MAX);
    parameters->names[parameters->count] = name;
    parameters->values[parameters->count] = value;
    parameters->count++;
}

static bool uri_has_database(const char *uri)
{
    bool found = false;
    PQconninfoOption *options = PQconninfoParse(uri, NULL);
    for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++)
        found |= strcmp(option->keyword, "dbname") == 0 && option->val != NULL;
    PQconninfoFree(options);
    return found;
}

/* libpq lets a later parameter win, so what only fills gaps stands before the URI (which goes as "dbname").
 */
static void collect(struct parameters *parameters, const struct pg_target *target, bool replication)
{
    *parameters = (struct parameters){.count = 0};
    add(parameters, "host", target->host);
    add(parameters, "port", target->port);
    add(parameters, "user", target->user);
    add(parameters, "password", target->password);
    add(parameters, "sslmode", target->sslmode);
    add(parameters, "sslcert", target->sslcert);
    add(parameters, "sslkey", target->sslkey);
    add(parameters, "sslrootcert", target->sslrootcert);
    add(parameters, "keepalives_idle", "30");
    add(parameters, "keepalives_interval", "10");
    add(parameters, "keepalives_count", "3");
    add(parameters, "tcp_user_timeout", "30000");
    add(parameters, "dbname", target->uri);
    if (target->uri == NULL || !uri_has_database(target->uri))
        add(parameters, "dbname", target->database);
    add(parameters, "application_name", target->application_name);
    add(parameters, "client_encoding", "UTF8");
    add(parameters, "replication", replication ? "database" : NULL);
}

static void describe_place(struct pg *pg, const struct pg_target *target)
{
    const char *host = pg->conn != NULL ? PQhost(pg->conn) : NULL;
    const char *port = pg->conn != NULL ? PQport(pg->conn) : NULL;
    const char *database = pg->conn != NULL ? PQdb(pg->conn) : NULL;
    if (host == NULL || host[0] == '\0')
        host = target->host != NULL ? target->host : "local socket";
    if (port == NULL || port[0] == '\0')
        port = target->port != NULL ? target->port : "5432";
    if (database == NULL)
        database = target->database != NULL ? target->database : "";
    (void)snprintf(pg->place, sizeof(pg->place), "%s:%s/%s", host, port, database);
}

/* One round of PQconnectPoll's protocol per socket event. */
static bool poll_connection(struct pg *pg, const struct pg_target *target, bool replication, struct err *err)
{
    int64_t timeout_ms = target->connect_timeout_ms != 0 ? target->connect_timeout_ms : 10000;
    int64_t deadline_us = clock_monotonic_us() + timeout_ms * 1000;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    while (status != PGRES_POLLING_OK) {
        short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        struct pollfd fd = {.fd = PQsocket(pg->conn), .events = events};
        int ready = poll(&fd, 1, WAIT_SLICE_MS);
        if (pg->on_wait != NULL && !pg->on_wait(pg->wait_data))
            return err_set(err, ERR_STOPPED, "stopped while connecting to %s", pg->place);
        if (clock_monotonic_us() > deadline_us)
            return err_set(err, ERR_CONNECT, "cannot connect to %s: no answer within %lld ms", pg->place,
                           (long long)timeout_ms);
        if (ready <= 0)
            continue;
        status = PQconnectPoll(pg->conn);
        if (status == PGRES_POLLING_FAILED) {
            describe_place(pg, target);
            return pg_err_connect(err, pg, replication);
        }
    }
    describe_place(pg, target);
    return true;
}

/* Everything that changes how a value is written as text, and what could end an idle session. A role or
 * database setting must not reach the events. */
static bool set_session(struct pg *pg, struct err *err)
{
    char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "SET datestyle = 'ISO, MDY'; SET timezone = 'UTC'; SET intervalstyle = 'postgres';"
                   "SET bytea_output = 'hex'; SET extra_float_digits = 3; SET lc_monetary = 'C';"
                   "SET client_encoding = 'UTF8'; SET idle_in_transaction_session_timeout = 0;"
                   "SET lock_timeout = 0; SET statement_timeout = %u%s",
                   pg->statement_timeout_ms,
                   pg_server_version(pg) >= 140000 ? "; SET idle_session_timeout = 0" : "");
    return pg_exec(pg, sql, err);
}

static void ignore_notice(void *data, const PGresult *result)
{
    (void)data;
    (void)result;
}

static bool connect_to(const struct pg_target *target, bool replication, struct pg **out, struct err *err)
{
    struct parameters parameters;
    struct pg *pg = calloc(1, sizeof(*pg));
    if (pg == NULL)
        abort();
    pg->on_wait = target->on_wait;
    pg->wait_data = target->wait_data;
    pg->statement_timeout_ms = replication ? 0 : target->statement_timeout_ms;
    collect(&parameters, target, replication);
    pg->conn = PQconnectStartParams(parameters.names, parameters.values, 1);
    if (pg->conn == NULL)
        abort();
    describe_place(pg, target);
    (void)PQsetNoticeReceiver(pg->conn, ignore_notice, NULL);
    (void)PQsetErrorVerbosity(pg->conn, PQERRORS_VERBOSE);
    bool ok = PQstatus(pg->conn) != CONNECTION_BAD ? poll_connection(pg, target, replication, err)
                                                   : pg_err_connect(err, pg, replication);
    if (ok) {
        (void)PQsetErrorVerbosity(pg->conn, PQERRORS_DEFAULT);
        ok = set_session(pg, err);
    }
    if (!ok) {
        pg_close(pg);
        return false;
    }
    *out = pg;
    return true;
}

bool pg_connect(const struct pg_target *target, struct pg **pg, struct err *err)
{
    return connect_to(target, false, pg, err);
}

/* A pooler that was told to ignore the startup parameter gives an ordinary session, which does not know
 * replication commands. */
bool pg_connect_replication(const struct pg_target *target, struct pg **pg, struct err *err)
{
    struct pg_result *result = NULL;
    if (!connect_to(target, true, pg, err))
        return false;
    if (pg_query(*pg, "IDENTIFY_SYSTEM", 0, NULL, &result, err)) {
        pg_result_free(result);
        return true;
    }
    if (strcmp(err->sqlstate, "42601") == 0)
        (void)err_set(err, ERR_POOLER,
                      "%s gave an ordinary session where replication was asked for, as a connection pooler "
                      "such as PgBouncer does; connect to the PostgreSQL server itself",
                      (*pg)->place);
    pg_close(*pg);
    *pg = NULL;
    return false;
}

void pg_close(struct pg *pg)
{
    if (pg == NULL)
        return;
    PQfreemem(pg->copy_buffer);
    PQfinish(pg->conn);
    free(pg);
}

int pg_server_version(const struct pg *pg)
{
    return PQserverVersion(pg->conn);
}

bool pg_set_statement_timeout(struct pg *pg, uint32_t timeout_ms, struct err *err)
{
    char sql[64];
    (void)snprintf(sql, sizeof(sql), "SET statement_timeout = %u", timeout_ms);
    if (!pg_exec(pg, sql, err))
        return false;
    pg->statement_timeout_ms = timeout_ms;
    return true;
}

int pg_socket(const struct pg *pg)
{
    return PQsocket(pg->conn);
}

/* ---- statements ---- */

/* The server does not notice a closed socket while it waits for a lock or for old transactions. */
static void cancel(struct pg *pg)
{
    char text[256];
    PGcancel *handle = PQgetCancel(pg->conn);
    if (handle != NULL)
        (void)PQcancel(handle, text, sizeof(text));
    PQfreeCancel(handle);
}

bool pg_next_result(struct pg *pg, PGresult **result, struct err *err)
{
    int pending;
    while ((pending = PQflush(pg->conn)) > 0 || PQisBusy(pg->conn) != 0) {
        if (!pg_wait(pg, pending > 0 ? POLLIN | POLLOUT : POLLIN, err)) {
            if (err->code == ERR_STOPPED)
                cancel(pg);
            return false;
        }
        if (!pg_consume(pg, err))
            return false;
    }
    if (pending < 0)
        return pg_err_lost(err, pg);
    *result = PQgetResult(pg->conn);
    return true;
}

static bool result_failed(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_NONFATAL_ERROR;
}

/* Reads to the end of the statement and keeps its last result; the first error wins. */
static bool collect_results(struct pg *pg, PGresult **last, struct err *err)
{
    PGresult *result = NULL;
    bool failed = false;
    for (;;) {
        if (!pg_next_result(pg, &result, err)) {
            PQclear(*last);
            *last = NULL;
            return false;
        }
        if (result == NULL) {
            pg->deadline_us = 0;
            return !failed;
        }
        if (result_failed(result) && !failed) {
            failed = true;
            (void)pg_err_result(err, pg, result);
        }
        PQclear(*last);
        *last = result;
        if (PQstatus(pg->conn) == CONNECTION_BAD)
            return failed ? false : pg_err_lost(err, pg);
    }
}

bool pg_exec(struct pg *pg, const char *sql, struct err *err)
{
    PGresult *result = NULL;
    pg_start_clock(pg);
    if (PQsendQuery(pg->conn, sql) == 0)
        return pg_err_lost(err, pg);
    bool ok = collect_results(pg, &result, err);
    PQclear(result);
    return ok;
}

/* Without parameters the simple protocol is used: a replication session knows no other. */
bool pg_query(struct pg *pg, const char *sql, int param_count, const char *const *params,
              struct pg_result **result, struct err *err)
{
    PGresult *last = NULL;
    pg_start_clock(pg);
    int sent = param_count == 0 ? PQsendQuery(pg->conn, sql)
                                : PQsendQueryParams(pg->conn, sql, param_count, NULL, params, NULL, NULL, 0);
    if (sent == 0)
        return pg_err_lost(err, pg);
    if (!collect_results(pg, &last, err)) {
        PQclear(last);
        return false;
    }
    *result = (struct pg_result *)last;
    return true;
}

/* struct pg_result is libpq's own under another name, so that callers need no libpq header. */
static const PGresult *inner(const struct pg_result *result)
{
    return (const PGresult *)result;
}

size_t pg_result_rows(const struct pg_result *result)
{
    return (size_t)PQntuples(inner(result));
}

struct slice pg_result_value(const struct pg_result *result, size_t row, int column)
{
    const PGresult *res = inner(result);
    assert(row < (size_t)PQntuples(res) && column < PQnfields(res));
    if (PQgetisnull(res, (int)row, column) != 0)
        return SLICE_NONE;
    return (struct slice){PQgetvalue(res, (int)row, column), (size_t)PQgetlength(res, (int)row, column)};
}

void pg_result_free(struct pg_result *result)
{
    PQclear((PGresult *)result);
}
