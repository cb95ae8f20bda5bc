/* slot: the replication slot on the source. */
#ifndef STREAMER_SLOT_H
#define STREAMER_SLOT_H

#include "walferry/pg.h"

#define NAME_SIZE 64 /* NAMEDATALEN */

struct slot_facts {
    bool exists;
    bool logical;
    char plugin[NAME_SIZE], database[NAME_SIZE];
    int active_pid; /* 0 = nobody streams from it */
    lsn_t confirmed_lsn, restart_lsn;
    bool lost;          /* the server cannot serve it any more */
    char lost_why[128]; /* the server's words for it */
};

MUST_CHECK bool slot_read(struct pg *pg, const char *name, struct slot_facts *facts, struct err *err);

struct slot_created {
    lsn_t consistent_lsn;     /* commits before it are in the snapshot, those after it in the stream */
    char snapshot[NAME_SIZE]; /* exported: valid until the next command of the session */
};

/* On a replication session. A temporary slot lives as long as the session. */
MUST_CHECK bool slot_create(struct pg *replication, const char *name, bool temporary,
                            struct slot_created *created, struct err *err);

MUST_CHECK bool slot_drop(struct pg *pg, const char *name, struct err *err);

#endif
