/* unit: one transaction on the target, from BEGIN over rows to progress and COMMIT, in pipeline mode.
 *
 *     IDLE ──row──▶ OPEN ──close──▶ CLOSING ──all rows answered──▶ COMMIT sent: IDLE again, `committing`
 *
 * COMMIT goes out only after every row was answered and hit what it had to hit: an UPDATE that meets no row
 * is no error to the server. The next unit may send its rows while COMMIT is on its way: it cannot commit
 * before that is answered, since answers come in order. What is in flight is bounded in statements and bytes,
 * so a source transaction of any size flows through. After a failure the session is given up, and with it
 * everything that is not committed.
 */
#ifndef APPLIER_UNIT_H
#define APPLIER_UNIT_H

#include "metrics_table.h"
#include "progress.h"
#include "statement.h"

enum count { /* of events, committed with the unit */
             COUNT_CREATE,
             COUNT_UPDATE,
             COUNT_DELETE,
             COUNT_READ,
             COUNT_TRUNCATE,
             COUNT_SKIPPED,
             COUNT_MISSING,
             COUNT_TRANSACTIONS,
             COUNT_KINDS,
};

enum unit_state { UNIT_IDLE, UNIT_OPEN, UNIT_CLOSING };

/* What an answer belongs to. */
struct flight {
    struct table *table; /* NULL: BEGIN, progress, COMMIT … */
    int64_t offset;      /* of the record */
    int64_t before;      /* of the last record whose transaction was whole before it; 0 = not known */
    size_t bytes;
    enum flight_rule { RULE_NONE, RULE_ONE, RULE_ONE_OR_MISSING, RULE_PROGRESS } rule;
};

struct unit_options {
    const char *source;
    size_t statements_max, bytes_max;
    bool defer_constraints; /* where session_replication_role could not be set */
    void (*on_committed)(void *data, const struct progress *progress);
    void *data;
    struct metrics *metrics;
};

struct unit {
    struct unit_options options;
    struct pg_pipeline *pipeline; /* owned */
    enum unit_state state;
    int64_t opened_us;
    uint64_t rows, bytes; /* of the open unit */
    uint64_t counts[COUNT_KINDS];
    struct progress target; /* of the unit that is closing */
    struct progress committed;
    bool committing; /* COMMIT is sent and not answered */
    bool unknown;    /* the session was lost meanwhile; the next progress row tells */
    struct progress committing_progress;
    uint64_t committing_counts[COUNT_KINDS];
    struct flight *flights; /* ring by tag */
    size_t flight_capacity;
    uint64_t next_tag, answered;
    size_t bytes_in_flight;
    struct flight failed; /* what the last error of unit_read belongs to; offset 0 = nothing of the unit */
};

void unit_init(struct unit *unit, const struct unit_options *options);
void unit_release(struct unit *unit);

/* A new session, whose progress row says `committed`. */
void unit_start(struct unit *unit, struct pg_pipeline *pipeline, const struct progress *committed,
                bool defer_constraints);
/* Gives the session up: nothing uncommitted remains. Safe to call without one. */
void unit_stop(struct unit *unit);

/* May another record be sent now? */
bool unit_has_room(const struct unit *unit);
bool unit_is_idle(const struct unit *unit); /* nothing open, closing or committing */

/* Opens the unit where none is open. */
MUST_CHECK bool unit_open(struct unit *unit, struct err *err);
/* The tag of the statement that is sent next, after its flight is noted. */
uint64_t unit_note(struct unit *unit, struct flight flight);
MUST_CHECK bool unit_send(struct unit *unit, const struct statement *statement, const char *const *values,
                          struct flight flight, struct err *err);
MUST_CHECK bool unit_send_text(struct unit *unit, const char *sql, struct flight flight, struct err *err);
/* Commits with this progress as soon as everything is answered; opens a unit where none is open. */
MUST_CHECK bool unit_close(struct unit *unit, const struct progress *progress, struct err *err);
MUST_CHECK bool unit_flush(struct unit *unit, struct err *err);
/* Takes answers (when the socket is readable), and sends COMMIT when it is due. */
MUST_CHECK bool unit_read(struct unit *unit, struct err *err);

#endif
