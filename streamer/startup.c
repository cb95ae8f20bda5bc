#include "startup.h"

#include "walferry/local_log.h"
#include "walferry/log.h"

#include <stdio.h>
#include <string.h>

#define WARNINGS_MAX 20 /* lines about tables without replica identity */

#define note(startup, ...) (void)snprintf((startup)->note, sizeof((startup)->note), __VA_ARGS__)

/* ---- the checks ---- */

static bool check_connection(struct startup *s, struct err *err)
{
    if (!pg_connect(s->target, &s->pg, err))
        return false;
    int version = pg_server_version(s->pg);
    note(s, "server version %d.%d", version / 10000, version % 10000);
    return version >= 110000 || err_set(err, ERR_CONFIG, "the source server is older than PostgreSQL 11");
}

static bool identify(struct startup *s, struct err *err)
{
    struct pg_result *result = NULL;
    if (!pg_query(s->replication, "IDENTIFY_SYSTEM", 0, NULL, &result, err))
        return false;
    bool ok = pg_result_rows(result) == 1 && lsn_parse(pg_result_value(result, 0, 2), &s->current_lsn);
    if (ok) {
        s->system_identifier = catalog_number(pg_result_value(result, 0, 0));
        s->timeline = (uint32_t)catalog_number(pg_result_value(result, 0, 1));
        note(s, "system identifier %llu, timeline %u", (unsigned long long)s->system_identifier, s->timeline);
    }
    pg_result_free(result);
    return ok || err_set(err, ERR_PROTOCOL, "IDENTIFY_SYSTEM gave no position");
}

static bool check_replication(struct startup *s, struct err *err)
{
    if (pg_connect_replication(s->target, &s->replication, err))
        return identify(s, err);
    if (err->code == ERR_PRIVILEGE) {
        struct err server = *err;
        return err_set(err, ERR_PRIVILEGE,
                       "role \"%s\" may not replicate: ALTER ROLE \"%s\" REPLICATION (managed servers: grant "
                       "their replication role); %s",
                       s->config->user, s->config->user, server.text);
    }
    return false;
}

static bool check_settings(struct startup *s, struct err *err)
{
    struct pg_result *result = NULL;
    if (!pg_query(s->pg,
                  "SELECT pg_catalog.current_setting('wal_level'), (SELECT setting FROM "
                  "pg_catalog.pg_settings WHERE name = 'wal_sender_timeout')",
                  0, NULL, &result, err))
        return false;
    struct slice level = pg_result_value(result, 0, 0);
    bool logical = slice_equal(level, SLICE_LITERAL("logical"));
    s->wal_sender_timeout_ms = (int64_t)catalog_number(pg_result_value(result, 0, 1));
    note(s, "wal_level " SLICE_FMT ", wal_sender_timeout %lld ms", SLICE_ARG(level),
         (long long)s->wal_sender_timeout_ms);
    if (!logical)
        (void)err_set(err, ERR_WAL_LEVEL,
                      "the source has wal_level = " SLICE_FMT
                      "; ALTER SYSTEM SET wal_level = 'logical' and restart it",
                      SLICE_ARG(level));
    pg_result_free(result);
    return logical;
}

/* With an existing slot a second, temporary one is needed only for a snapshot, and tried then. */
static bool check_free_slots(struct startup *s, struct err *err)
{
    struct pg_result *result = NULL;
    if (!pg_query(s->pg,
                  "SELECT (SELECT count(*) FROM pg_catalog.pg_replication_slots),"
                  " pg_catalog.current_setting('max_replication_slots')",
                  0, NULL, &result, err))
        return false;
    uint64_t used = catalog_number(pg_result_value(result, 0, 0));
    uint64_t most = catalog_number(pg_result_value(result, 0, 1));
    pg_result_free(result);
    note(s, "slot \"%s\" is absent and will be created, %llu of %llu slots are used", s->config->slot_name,
         (unsigned long long)used, (unsigned long long)most);
    if (used < most)
        return true;
    return err_set(
        err, ERR_SLOT_FULL,
        "all %llu replication slots of the source are used; raise max_replication_slots or drop an "
        "unused slot",
        (unsigned long long)most);
}

static bool check_slot(struct startup *s, struct err *err)
{
    const char *name = s->config->slot_name;
    if (!slot_read(s->pg, name, &s->slot, err))
        return false;
    if (!s->slot.exists)
        return check_free_slots(s, err);
    if (!s->slot.logical || strcmp(s->slot.plugin, "pgoutput") != 0)
        return err_set(
            err, ERR_SLOT_FOREIGN,
            "slot \"%s\" is %s; walferry needs a logical slot with plugin pgoutput: choose another "
            "slot.name",
            name, s->slot.logical ? s->slot.plugin : "a physical slot");
    if (strcmp(s->slot.database, s->config->dbname) != 0)
        return err_set(err, ERR_SLOT_FOREIGN,
                       "slot \"%s\" belongs to database \"%s\", not to \"%s\": choose another slot.name",
                       name, s->slot.database, s->config->dbname);
    if (s->slot.active_pid != 0)
        return err_set(err, ERR_SLOT_BUSY, "slot \"%s\" is in use by pid %d of the source", name,
                       s->slot.active_pid);
    note(s, "slot \"%s\", confirmed up to " LSN_FMT, name, LSN_ARG(s->slot.confirmed_lsn));
    return true;
}

static bool check_publication(struct startup *s, struct err *err)
{
    const char *name = s->config->publication_name;
    if (!publication_read(s->pg, name, &s->publication, err))
        return false;
    if (!s->publication.exists && s->config->publication_mode == PUBLICATION_DISABLED)
        return err_set(err, ERR_PUBLICATION,
                       "publication \"%s\" is missing and publication.autocreate.mode is disabled; CREATE "
                       "PUBLICATION it or choose another mode",
                       name);
    note(s, "publication \"%s\" %s", name,
         s->publication.exists ? "exists" : "is absent and will be created");
    return true;
}

static bool wants_snapshot(const struct startup *s)
{
    int mode = s->config->snapshot_mode;
    if (mode == SNAPSHOT_NO_DATA)
        return false;
    if (mode == SNAPSHOT_ALWAYS && !s->snapshot_done)
        return true;
    return !s->position_found || s->position.snapshot == SNAPSHOT_RUNNING;
}

/* Without a snapshot the stream alone is read, which asks for no right on the tables. */
static bool reads_tables(const struct startup *s)
{
    return wants_snapshot(s) || s->config->snapshot_mode == SNAPSHOT_WHEN_NEEDED;
}

static bool check_readable(const struct startup *s, const struct catalog_table *table, struct err *err)
{
    const char *user = s->config->user;
    if (!table->schema_usable)
        return err_set(err, ERR_PRIVILEGE,
                       "role \"%s\" may not read table " SLICE_FMT "." SLICE_FMT
                       ": GRANT USAGE ON SCHEMA \"" SLICE_FMT "\" TO \"%s\"",
                       user, SLICE_ARG(table->schema), SLICE_ARG(table->name), SLICE_ARG(table->schema),
                       user);
    return table->readable || err_set(err, ERR_PRIVILEGE,
                                      "role \"%s\" may not read table " SLICE_FMT "." SLICE_FMT
                                      ": GRANT SELECT ON \"" SLICE_FMT "\".\"" SLICE_FMT "\" TO \"%s\"",
                                      user, SLICE_ARG(table->schema), SLICE_ARG(table->name),
                                      SLICE_ARG(table->schema), SLICE_ARG(table->name), user);
}

static bool check_tables(struct startup *s, struct err *err)
{
    bool exists = s->publication.exists;
    bool empty = !exists && s->config->publication_mode == PUBLICATION_NO_TABLES;
    catalog_tables_release(&s->tables);
    if (!empty && !catalog_load_tables(s->pg, exists ? s->config->publication_name : NULL, &s->tables, err))
        return false;
    note(s, "%zu %s", s->tables.count, exists ? "published tables" : "tables to be published");
    for (size_t i = 0; i < s->tables.count && reads_tables(s); i++) {
        if (!check_readable(s, &s->tables.tables[i], err))
            return false;
    }
    return true;
}

static bool check_row_security(struct startup *s, struct err *err)
{
    note(s, "no published table hides rows from the role");
    for (size_t i = 0; i < s->tables.count && reads_tables(s); i++) {
        const struct catalog_table *table = &s->tables.tables[i];
        if (table->row_security)
            return err_set(err, ERR_ROW_SECURITY,
                           "row-level security of table " SLICE_FMT "." SLICE_FMT
                           " would hide rows from role \"%s\": ALTER ROLE \"%s\" BYPASSRLS",
                           SLICE_ARG(table->schema), SLICE_ARG(table->name), s->config->user,
                           s->config->user);
    }
    return true;
}

/* No error: such a table may well see inserts only. */
static bool check_replica_identity(struct startup *s, struct err *err)
{
    size_t without = 0;
    (void)err;
    bool updates = s->publication.publishes_updates || !s->publication.exists;
    for (size_t i = 0; i < s->tables.count && updates; i++) {
        const struct catalog_table *table = &s->tables.tables[i];
        if (table->finds_rows)
            continue;
        if (++without > WARNINGS_MAX || s->quiet)
            continue;
        log_warn("startup",
                 "the server will refuse UPDATE and DELETE: give it a key or REPLICA IDENTITY FULL",
                 LOG_SLICE("schema", table->schema), LOG_SLICE("table", table->name));
    }
    note(s, "%zu published tables without replica identity", without);
    return true;
}

static bool check_position(struct startup *s, struct err *err)
{
    struct start_plan plan;
    static const char *const verbs[] = {
        [START_STREAM] = "stream", [START_SNAPSHOT] = "snapshot", [START_FINISHED] = "nothing left to do"};
    if (!startup_plan(s, &plan, err))
        return false;
    note(s, "%s, next: %s", s->position_found ? "a position is stored" : "no position is stored",
         verbs[plan.verb]);
    return true;
}

static const struct check {
    const char *name;
    bool (*run)(struct startup *, struct err *);
    bool needed; /* the checks behind it make no sense without it */
} checks[] = {
    {"connection", check_connection, true},
    {"replication", check_replication, true},
    {"settings", check_settings, false},
    {"publication", check_publication, false},
    {"tables", check_tables, true},
    {"row security", check_row_security, false},
    {"replica identity", check_replica_identity, false},
    {"columns", startup_check_columns, false},
    {"slot", check_slot, true},
    {"position", check_position, false},
};

bool startup_check(struct startup *startup, struct err *err)
{
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        if (!checks[i].run(startup, err))
            return false;
        log_debug("startup", startup->note, LOG_STR("check", checks[i].name));
    }
    return true;
}

/* The first failure is told in full by the error line at the end, so its own line is short. */
static void print_check(const char *name, const char *note, const struct err *failure, bool first)
{
    if (failure == NULL)
        (void)printf("ok    %s: %s\n", name, note);
    else if (first)
        (void)printf("FAIL  %s: %s, see the last line\n", name, err_code_name(failure->code));
    else
        (void)printf("FAIL  %s: %s\n", name, failure->text);
}

/* At a start opening the sink says it. */
static bool check_transport(struct startup *s, struct err *err)
{
    note(s, "%s", s->position_found ? "a position is stored" : "nothing is stored yet");
    return s->config->transport != TRANSPORT_LOCAL || local_writer_check(s->config->local_path, err);
}

bool startup_print_checks(struct startup *startup, struct err *err)
{
    struct err reason;
    startup->printing = true;
    bool ok = check_transport(startup, err);
    print_check("transport", startup->note, ok ? NULL : err, true);
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        bool passed = checks[i].run(startup, &reason);
        print_check(checks[i].name, startup->note, passed ? NULL : &reason, ok);
        if (!passed && ok)
            *err = reason;
        ok &= passed;
        if (!passed && checks[i].needed)
            break;
    }
    (void)fflush(stdout);
    return ok;
}

void startup_release(struct startup *startup)
{
    catalog_tables_release(&startup->tables);
    pg_close(startup->replication);
    pg_close(startup->pg);
    startup->replication = startup->pg = NULL;
}

/* ---- what follows from them ---- */

static bool check_source(const struct startup *s, struct err *err)
{
    const struct position *stored = &s->position;
    if (stored->system_identifier != 0 && stored->system_identifier != s->system_identifier)
        return err_set(err, ERR_SOURCE_CHANGED,
                       "the stored position is of system identifier %llu, the source has %llu: it is another "
                       "cluster, or was rebuilt",
                       (unsigned long long)stored->system_identifier,
                       (unsigned long long)s->system_identifier);
    if (stored->timeline != 0 && stored->timeline != s->timeline)
        return err_set(
            err, ERR_SOURCE_CHANGED,
            "the stored position is of timeline %u, the source is on timeline %u: after a failover "
            "or a point-in-time recovery changes may be missing or undone from " LSN_FMT " on",
            stored->timeline, s->timeline, LSN_ARG(stored->end_lsn));
    return true;
}

/* Can the slot serve the changes that follow the stored position? */
static bool check_slot_serves(const struct startup *s, struct err *err)
{
    const char *name = s->config->slot_name;
    lsn_t from = s->position.end_lsn;
    if (!s->slot.exists)
        return err_set(err, ERR_SLOT_LOST,
                       "slot \"%s\" is missing although a position is stored: changes from " LSN_FMT
                       " to " LSN_FMT " are in doubt; take a new snapshot (snapshot.mode=when_needed)",
                       name, LSN_ARG(from), LSN_ARG(s->current_lsn));
    if (s->slot.lost)
        return err_set(err, ERR_SLOT_LOST,
                       "slot \"%s\" cannot be used (%s): changes from " LSN_FMT " to " LSN_FMT
                       " are in doubt; take a new snapshot (snapshot.mode=when_needed)",
                       name, s->slot.lost_why, LSN_ARG(from), LSN_ARG(s->current_lsn));
    if (s->slot.confirmed_lsn > from)
        return err_set(
            err, ERR_SLOT_LOST,
            "slot \"%s\" was moved past the stored position, or created again: changes from " LSN_FMT
            " to " LSN_FMT " are in doubt; take a new snapshot (snapshot.mode=when_needed)",
            name, LSN_ARG(from), LSN_ARG(s->slot.confirmed_lsn));
    return true;
}

/* An interrupted snapshot of which nothing became visible needs nothing of the old slot. */
static bool starts_clean(const struct startup *s)
{
    return !s->position_found || (s->position.snapshot == SNAPSHOT_RUNNING && s->sink_retracts);
}

static bool plan_clean(const struct startup *s, struct start_plan *plan, struct err *err)
{
    plan->verb = wants_snapshot(s) ? START_SNAPSHOT : START_STREAM;
    plan->create_slot = !s->slot.exists;
    plan->position.end_lsn = s->slot.confirmed_lsn;
    if (!s->slot.lost)
        return true;
    if (s->config->snapshot_mode == SNAPSHOT_WHEN_NEEDED) {
        plan->drop_slot = plan->create_slot = true;
        return true;
    }
    return err_set(err, ERR_SLOT_LOST,
                   "slot \"%s\" cannot be used (%s); drop it (SELECT pg_drop_replication_slot('%s')) or take "
                   "snapshot.mode=when_needed",
                   s->config->slot_name, s->slot.lost_why, s->config->slot_name);
}

bool startup_plan(const struct startup *s, struct start_plan *plan, struct err *err)
{
    *plan = (struct start_plan){.verb = START_STREAM};
    plan->position.system_identifier = s->system_identifier;
    plan->position.timeline = s->timeline;
    if (s->position_found && !check_source(s, err))
        return false;
    if (starts_clean(s))
        return plan_clean(s, plan, err);
    if (s->config->snapshot_mode == SNAPSHOT_INITIAL_ONLY && s->position.snapshot == SNAPSHOT_COMPLETE) {
        plan->verb = START_FINISHED;
        return true;
    }
    if (!check_slot_serves(s, err)) {
        if (s->config->snapshot_mode != SNAPSHOT_WHEN_NEEDED)
            return false;
        log_warn("startup", "the stored position cannot be continued, a new snapshot is taken",
                 LOG_STR("reason", err->text));
        plan->verb = START_SNAPSHOT;
        plan->create_slot = !s->slot.exists || s->slot.lost;
        plan->drop_slot = s->slot.exists && s->slot.lost;
        return true;
    }
    plan->position = s->position;
    plan->position.system_identifier = s->system_identifier;
    plan->position.timeline = s->timeline;
    plan->verb = wants_snapshot(s) ? START_SNAPSHOT : START_STREAM;
    plan->keep_position = s->position.snapshot == SNAPSHOT_RUNNING; /* its rows are out already */
    return true;
}
