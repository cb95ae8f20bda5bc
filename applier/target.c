#include "target.h"

#include "walferry/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 10000

bool target_connect(const struct applier_config *config, const struct target_wait *wait, struct pg **session,
                    struct err *err)
{
    struct pg_target target = {
        .uri = config->uri,
        .host = config->host,
        .port = config->port,
        .database = config->database,
        .user = config->user,
        .password = config->password,
        .application_name = config->name,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .on_wait = wait->on_wait,
        .wait_data = wait->data,
    };
    if (!pg_connect(&target, session, err))
        return false;
    if (pg_exec(*session, "SET search_path = ''; SET row_security = off", err))
        return true;
    pg_close(*session);
    *session = NULL;
    return false;
}

/* ---- ownership ---- */

/* 64 bits of FNV-1a over the source's name, as the bigint that advisory locks take. */
static const char *lock_key(const char *source, char text[24])
{
    uint64_t hash = 14695981039346656037U;
    for (const char *at = "walferry:"; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 1099511628211U;
    for (const char *at = source; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 1099511628211U;
    (void)snprintf(text, 24, "%" PRId64, (int64_t)hash);
    return text;
}

static bool find_owner(struct pg *session, const char *key, int64_t *pid, struct err *err)
{
    static const char sql[] =
        "SELECT pid FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND "
        "database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()) AND "
        "((classid::bigint << 32) | objid::bigint) = $1::bigint";
    struct pg_result *result = NULL;
    *pid = 0;
    if (!pg_query(session, sql, 1, &key, &result, err))
        return false;
    if (pg_result_rows(result) > 0)
        *pid = strtoll(pg_result_value(result, 0, 0).data, NULL, 10);
    pg_result_free(result);
    return true;
}

bool target_lock(struct pg *session, const char *source, bool *taken, int64_t *owner_pid, struct err *err)
{
    char text[24];
    const char *key = lock_key(source, text);
    struct pg_result *result = NULL;
    if (!pg_query(session, "SELECT pg_catalog.pg_try_advisory_lock($1::bigint)", 1, &key, &result, err))
        return false;
    *taken = slice_equal(pg_result_value(result, 0, 0), SLICE_LITERAL("t"));
    pg_result_free(result);
    return *taken || find_owner(session, key, owner_pid, err);
}

bool target_unlock(struct pg *session, const char *source, struct err *err)
{
    char text[24];
    const char *key = lock_key(source, text);
    struct pg_result *result = NULL;
    if (!pg_query(session, "SELECT pg_catalog.pg_advisory_unlock($1::bigint)", 1, &key, &result, err))
        return false;
    pg_result_free(result);
    return true;
}

/* ---- what the session's changes look like ---- */

bool target_set_role(struct pg *session, const struct applier_config *config, bool *replica, struct err *err)
{
    *replica = false;
    if (config->role == ROLE_ORIGIN)
        return true;
    struct err why;
    if (pg_exec(session, "SET session_replication_role = 'replica'", &why)) {
        *replica = true;
        return true;
    }
    if (config->role == ROLE_AUTO && why.code == ERR_PRIVILEGE)
        return true;
    *err = why;
    if (why.code != ERR_PRIVILEGE)
        return false;
    return err_prefix(err, "GRANT SET ON PARAMETER session_replication_role TO the role (PostgreSQL 15 and "
                           "later), or set walferry.apply.session.replication.role=auto");
}

static bool run_with_name(struct pg *session, const char *sql, const char *name, size_t *rows,
                          struct err *err)
{
    struct pg_result *result = NULL;
    if (!pg_query(session, sql, 1, &name, &result, err))
        return false;
    *rows = pg_result_rows(result);
    pg_result_free(result);
    return true;
}

bool target_set_origin(struct pg *session, const char *source, bool *marked, struct err *why, struct err *err)
{
    static const char create[] = "SELECT pg_catalog.pg_replication_origin_create($1) "
                                 "WHERE pg_catalog.pg_replication_origin_oid($1) IS NULL";
    static const char set_up[] = "SELECT pg_catalog.pg_replication_origin_session_setup($1)";
    char name[128];
    (void)snprintf(name, sizeof(name), "walferry_%s", source);
    size_t created = 0, rows = 0;
    bool exists = run_with_name(session, create, name, &created, why);
    if (exists && created > 0)
        log_info("applier", "replication origin created; drop it when this source is no longer applied",
                 LOG_STR("origin", name));
    *marked = exists && run_with_name(session, set_up, name, &rows, why);
    if (*marked || (why->code != ERR_CONNECT && why->code != ERR_STOPPED) || why->sqlstate[0] == '5')
        return true;
    *err = *why;
    return false;
}
