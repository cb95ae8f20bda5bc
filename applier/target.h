/* target: sessions on the target database.
 *
 * The applying session holds the advisory lock of its source as long as it lives, so lock and session end
 * together. search_path is empty, as in PostgreSQL's own apply worker: names in the target's functions must
 * be qualified, and type names in our casts are.
 */
#ifndef APPLIER_TARGET_H
#define APPLIER_TARGET_H

#include "applier_config.h"

#include "walferry/pg.h"

struct target_wait { /* see struct pg_target */
    bool (*on_wait)(void *data);
    void *data;
};

MUST_CHECK bool target_connect(const struct applier_config *config, const struct target_wait *wait,
                               struct pg **session, struct err *err);

/* Tries to become the owner of `source`; *owner_pid says who is (0 = unknown) where *taken is false. */
MUST_CHECK bool target_lock(struct pg *session, const char *source, bool *taken, int64_t *owner_pid,
                            struct err *err);
MUST_CHECK bool target_unlock(struct pg *session, const char *source, struct err *err);

/* session_replication_role by the configured rule; *replica says what it became. */
MUST_CHECK bool target_set_role(struct pg *session, const struct applier_config *config, bool *replica,
                                struct err *err);

/* Marks the session's transactions with a replication origin of the source's name, so that a stream in the
 * other direction can leave them out. *why is set and *marked false where the role may not. */
MUST_CHECK bool target_set_origin(struct pg *session, const char *source, bool *marked, struct err *why,
                                  struct err *err);

#endif
