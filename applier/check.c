#include "check.h"

#include "progress.h"
#include "source.h"
#include "target.h"

#include "walferry/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct check {
    const struct applier_config *config;
    uv_loop_t uv;
    struct pg *session;
    struct source *source;
    struct err failure; /* the first one */
};

__attribute__((format(printf, 2, 3))) static void say(const char *what, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)printf("%-8s ", what);
    (void)vprintf(format, args);
    (void)putchar('\n');
    va_end(args);
}

static void fail(struct check *check, const struct err *err)
{
    say("FAIL", "%s", err->text);
    if (check->failure.code == ERR_NONE)
        check->failure = *err;
}

/* One cell of a query as text, for questions of one answer. */
static bool ask(struct check *check, const char *sql, char *text, size_t size)
{
    struct pg_result *result = NULL;
    struct err err;
    if (!pg_query(check->session, sql, 0, NULL, &result, &err)) {
        fail(check, &err);
        return false;
    }
    struct slice value = pg_result_rows(result) > 0 ? pg_result_value(result, 0, 0) : SLICE_NONE;
    (void)snprintf(text, size, SLICE_FMT, SLICE_ARG(value));
    pg_result_free(result);
    return true;
}

static void check_progress_rights(struct check *check)
{
    static const char sql[] =
        "SELECT CASE WHEN to_regclass('walferry.progress') IS NOT NULL THEN "
        "CASE WHEN has_table_privilege(to_regclass('walferry.progress')::oid, 'SELECT') AND "
        "has_table_privilege(to_regclass('walferry.progress')::oid, 'INSERT') AND "
        "has_table_privilege(to_regclass('walferry.progress')::oid, 'UPDATE') THEN 'there' ELSE 'closed' END "
        "WHEN to_regnamespace('walferry') IS NOT NULL THEN CASE WHEN "
        "has_schema_privilege(to_regnamespace('walferry')::oid, 'CREATE') THEN 'new' ELSE 'schema' END "
        "WHEN has_database_privilege(current_database(), 'CREATE') THEN 'new' ELSE 'database' END";
    char state[16];
    struct err err;
    if (!ask(check, sql, state, sizeof(state)))
        return;
    if (strcmp(state, "there") == 0 || strcmp(state, "new") == 0) {
        say("ok", "table walferry.progress %s", state[0] == 't' ? "is there" : "can be created");
        return;
    }
    (void)err_set(&err, ERR_PRIVILEGE, "the role may not %s: %s",
                  state[0] == 'c' ? "use table walferry.progress" : "create walferry.progress",
                  state[0] == 'c'   ? "GRANT SELECT, INSERT, UPDATE ON walferry.progress"
                  : state[0] == 's' ? "GRANT USAGE, CREATE ON SCHEMA walferry"
                                    : "GRANT CREATE ON DATABASE");
    fail(check, &err);
}

static void check_tables(struct check *check)
{
    static const char count_sql[] =
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN "
        "('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'walferry')";
    static const char closed_sql[] =
        "SELECT count(*) || ', such as ' || min(format('%I.%I', n.nspname, c.relname)) FROM pg_class c JOIN "
        "pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND "
        "n.nspname NOT IN ('information_schema', 'walferry') AND NOT (has_schema_privilege(n.oid, 'USAGE') "
        "AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND "
        "has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')) HAVING count(*) > 0";
    char count[32], closed[200];
    if (!ask(check, count_sql, count, sizeof(count)) || !ask(check, closed_sql, closed, sizeof(closed)))
        return;
    struct err err;
    if (strtol(count, NULL, 10) == 0)
        say("warning", "the target has no tables");
    else if (strtol(count, NULL, 10) == strtol(closed, NULL, 10)) {
        (void)err_set(
            &err, ERR_PRIVILEGE,
            "the role may write none of the %s tables: GRANT USAGE ON SCHEMA and GRANT SELECT, INSERT, "
            "UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA to it",
            count);
        fail(check, &err);
    } else if (closed[0] == '\0')
        say("ok", "%s tables, all open for SELECT, INSERT, UPDATE, DELETE", count);
    else
        say("warning", "%s tables, of which the role may not write %s", count, closed);
}

static void check_role(struct check *check)
{
    bool replica = false, marked = false;
    struct err err, why;
    if (!target_set_role(check->session, check->config, &replica, &err)) {
        fail(check, &err);
        return;
    }
    if (replica)
        say("ok", "session_replication_role = replica");
    else
        say("warning", "session_replication_role stays origin: triggers and foreign keys fire");
    static const char may_mark[] =
        "SELECT has_function_privilege('pg_replication_origin_session_setup(text)', "
        "'EXECUTE') AND has_function_privilege('pg_replication_origin_create(text)', "
        "'EXECUTE')";
    char text[8];
    (void)why;
    marked = ask(check, may_mark, text, sizeof(text)) && text[0] == 't';
    say(marked ? "ok" : "warning", marked ? "replication origin can be set"
                                          : "no replication origin: the role "
                                            "lacks EXECUTE on its functions");
}

static bool check_target(struct check *check)
{
    struct err err;
    struct target_wait wait = {NULL, NULL};
    char version[64];
    if (!target_connect(check->config, &wait, &check->session, &err)) {
        fail(check, &err);
        return false;
    }
    if (ask(check, "SELECT current_database() || ', PostgreSQL ' || current_setting('server_version')",
            version, sizeof(version)))
        say("ok", "connected to %s", version);
    check_progress_rights(check);
    check_tables(check);
    check_role(check);
    return true;
}

static void on_wake(void *data)
{
    (void)data;
}

static bool check_log(struct check *check)
{
    struct err err;
    struct source_end end;
    const struct source_local_options options = {check->config->local_path, check->config->name, on_wake,
                                                 NULL};
    if (!source_local_open(&check->uv, &options, &check->source, &err)) {
        if (err.code == ERR_CONNECT)
            say("warning", "%s is not there yet; it is waited for", check->config->local_path);
        else
            fail(check, &err);
        return false;
    }
    if (!source_end(check->source, &end, &err)) {
        fail(check, &err);
        return false;
    }
    say("ok", "%s is a local log, newest offset %" PRId64, check->config->local_path, end.offset);
    return true;
}

/* Only with both ends: where it would go on, and whether it may. */
static void check_ownership(struct check *check)
{
    struct progress progress;
    struct err err;
    bool found = false, taken = false;
    int64_t pid = 0;
    if (!progress_peek(check->session, check->source->id, &progress, &found, &err) ||
        !source_seek(check->source, found ? progress.offset : 0, &err)) {
        fail(check, &err);
        return;
    }
    say("ok", "%s offset %" PRId64, found ? "goes on behind" : "nothing applied yet, starts behind",
        found ? progress.offset : 0);
    if (!target_lock(check->session, check->source->id, &taken, &pid, &err)) {
        fail(check, &err);
        return;
    }
    if (taken) {
        say("ok", "no other applier owns this source");
        return;
    }
    (void)err_set(&err, ERR_LOCK_BUSY, "another applier owns this source (backend %" PRId64 " on the target)",
                  pid);
    fail(check, &err);
}

int check_run(const struct applier_config *config)
{
    struct check check = {.config = config, .failure = {.code = ERR_NONE}};
    if (uv_loop_init(&check.uv) != 0)
        abort();
    say("ok", "configuration");
    bool connected = check_target(&check);
    bool opened = check_log(&check);
    if (connected && opened)
        check_ownership(&check);
    (void)fflush(stdout);
    source_close(check.source);
    pg_close(check.session);
    (void)uv_run(&check.uv, UV_RUN_DEFAULT);
    (void)uv_loop_close(&check.uv);
    if (check.failure.code == ERR_NONE)
        return 0;
    log_fatal_line(&check.failure);
    return 1;
}
