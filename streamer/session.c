#include "streamer.h"

#include "walferry/log.h"

#include <stdio.h>
#include <string.h>

/* One session with the source, from the first connection to the running stream. Everything here runs between
 * two runs of the loop. */

static bool create_publication(struct streamer *s, struct startup *startup, struct err *err)
{
    bool narrow = config_is_set(s->loaded, "skipped.operations");
    if (startup->publication.exists)
        return true;
    return publication_create(startup->pg, &s->config, narrow, err);
}

static bool create_slot(struct streamer *s, struct startup *startup, bool temporary,
                        struct slot_created *created, struct err *err)
{
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof(name), "%s", s->config.slot_name);
    if (temporary)
        (void)snprintf(name, sizeof(name), "%.40s_snapshot_%d", s->config.slot_name, (int)uv_os_getpid());
    if (!slot_create(startup->replication, name, temporary, created, err))
        return false;
    log_info("slot", temporary ? "temporary slot created" : "created", LOG_STR("slot", name),
             LOG_LSN("lsn", created->consistent_lsn));
    return true;
}

/* A new slot's snapshot fits it by itself. Beside an existing slot a temporary one exports the snapshot, and
 * the existing one is streamed from the temporary one's consistent point; where rows of an earlier attempt
 * are out already, from the old position, so that their later changes are not left out. */
static bool read_snapshot(struct streamer *s, struct startup *startup, const struct start_plan *plan,
                          struct err *err)
{
    struct slot_created created;
    if (!create_slot(s, startup, !plan->create_slot, &created, err))
        return false;
    s->position = plan->position;
    s->position.commit_lsn = s->position.last_end_lsn = LSN_NONE;
    s->position.ordinal = 0;
    if (!plan->keep_position)
        s->position.end_lsn = created.consistent_lsn;
    s->position_known = true;
    streamer_set_state(s, STREAMER_SNAPSHOTTING);
    if (!snapshot_run(s, &startup->replication, &created, err))
        return false;
    return pg_connect_replication(&s->target, &startup->replication, err);
}

/* Rows of an interrupted snapshot that will not be read again are dropped, or they would hide all that
 * follows. */
static void drop_interrupted_snapshot(struct streamer *s)
{
    s->sink->ops->snapshot_begin(s->sink);
    s->sink->ops->snapshot_end(s->sink);
    s->advance_pending = true;
    log_info("session", "the rows of an interrupted snapshot are dropped");
}

static bool prepare_position(struct streamer *s, struct startup *startup, const struct start_plan *plan,
                             struct err *err)
{
    struct slot_created created;
    s->position = plan->position;
    if (plan->create_slot) {
        if (!create_slot(s, startup, false, &created, err))
            return false;
        s->position.end_lsn = created.consistent_lsn;
    }
    s->advance_pending = !s->position_known;
    s->position_known = true;
    if (startup->position.snapshot == SNAPSHOT_RUNNING && startup->sink_retracts)
        drop_interrupted_snapshot(s);
    return true;
}

static bool follow_plan(struct streamer *s, struct startup *startup, const struct start_plan *plan,
                        struct err *err)
{
    if (plan->drop_slot) {
        log_warn("slot", "dropping the lost slot", LOG_STR("slot", s->config.slot_name));
        if (!slot_drop(startup->pg, s->config.slot_name, err))
            return false;
    }
    bool ready = plan->verb == START_SNAPSHOT ? read_snapshot(s, startup, plan, err)
                                              : prepare_position(s, startup, plan, err);
    if (!ready)
        return false;
    if (s->config.snapshot_mode == SNAPSHOT_INITIAL_ONLY) {
        s->finish_when_stored = true;
        return true;
    }
    struct pg *replication = startup->replication;
    startup->replication = NULL; /* stream_start takes it over, also on failure */
    if (!stream_start(s, replication, startup->wal_sender_timeout_ms, err))
        return false;
    streamer_set_state(s, STREAMER_STREAMING);
    return true;
}

static bool open_with(struct streamer *s, struct startup *startup, struct err *err)
{
    struct start_plan plan;
    if (!startup_check(startup, err) || !startup_plan(startup, &plan, err))
        return false;
    if (plan.verb == START_FINISHED) {
        log_info("session", "the snapshot is complete already, nothing is left to do");
        s->finish_when_stored = true;
        return true;
    }
    if (!create_publication(s, startup, err) || !follow_plan(s, startup, &plan, err))
        return false;
    s->pg = startup->pg;
    startup->pg = NULL;
    return true;
}

bool session_open(struct streamer *s, struct err *err)
{
    struct startup startup = {
        .config = &s->config,
        .target = &s->target,
        .sink_retracts = s->sink->ops->retracts_snapshot,
        .position = s->position,
        .position_found = s->position_known,
        .snapshot_done = s->snapshot_done,
        .quiet = s->attempts++ > 0,
    };
    streamer_set_state(s, STREAMER_CONNECTING);
    s->pumping = true;
    bool ok = open_with(s, &startup, err);
    s->pumping = false;
    startup_release(&startup);
    if (ok && s->sessions++ > 0)
        metrics_add(&s->metrics, RECONNECTS_TOTAL, 1);
    return ok;
}

/* What was marked goes on to be stored; the rest comes again with the next session. */
void session_close(struct streamer *s)
{
    stream_close(s);
    pg_close(s->pg);
    s->pg = NULL;
    if (s->sink != NULL)
        s->sink->ops->discard_unmarked(s->sink);
    changes_reset(s);
}
