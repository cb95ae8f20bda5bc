/* startup: what is looked at before anything is streamed, and what to do then.
 *
 * The checks only read. They are one table, so that --check prints what a start would trip over.
 */
#ifndef STREAMER_STARTUP_H
#define STREAMER_STARTUP_H

#include "catalog.h"
#include "publication.h"
#include "sink.h"
#include "slot.h"

struct startup {
    const struct streamer_config *config;
    const struct pg_target *target;
    bool sink_retracts;       /* sink_ops.retracts_snapshot */
    struct position position; /* what is stored */
    bool position_found;
    bool snapshot_done; /* in this run of the program: snapshot.mode=always is content */
    bool quiet;         /* warnings were given before */
    bool printing;      /* --check: warnings are lines on stdout */
    /* found out by the checks; owned until startup_release */
    struct pg *pg, *replication;
    uint64_t system_identifier;
    uint32_t timeline;
    lsn_t current_lsn;
    int64_t wal_sender_timeout_ms;
    struct slot_facts slot;
    struct publication_facts publication;
    struct catalog_tables tables;
    char note[256]; /* of the last check: what it found */
};

/* Runs the checks up to the first that fails. */
MUST_CHECK bool startup_check(struct startup *startup, struct err *err);

/* --check: every check, a line each on stdout; err has the first failure. */
MUST_CHECK bool startup_print_checks(struct startup *startup, struct err *err);

/* omitted.c, one of the checks: warns of the columns whose types have no mapping. */
MUST_CHECK bool startup_check_columns(struct startup *startup, struct err *err);

/* Closes the sessions that are still the startup's. */
void startup_release(struct startup *startup);

enum start_verb {
    START_STREAM,   /* from plan.position */
    START_SNAPSHOT, /* read the tables, then stream */
    START_FINISHED, /* snapshot.mode=initial_only, and it is complete */
};

struct start_plan {
    enum start_verb verb;
    bool create_slot;
    bool drop_slot;           /* it is lost, and snapshot.mode=when_needed */
    bool keep_position;       /* stream from plan.position although a newer snapshot is read */
    struct position position; /* where to go on; the snapshot's consistent point replaces end_lsn */
};

MUST_CHECK bool startup_plan(const struct startup *startup, struct start_plan *plan, struct err *err);

#endif
