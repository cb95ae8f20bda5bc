/* publication: what the source publishes. */
#ifndef STREAMER_PUBLICATION_H
#define STREAMER_PUBLICATION_H

#include "streamer_config.h"

#include "walferry/pg.h"

struct publication_facts {
    bool exists;
    bool all_tables;
    bool publishes_updates; /* or deletes: tables then need a replica identity */
};

MUST_CHECK bool publication_read(struct pg *pg, const char *name, struct publication_facts *facts,
                                 struct err *err);

/* As publication.autocreate.mode says. `narrow`: skipped.operations was given, so they are not published. */
MUST_CHECK bool publication_create(struct pg *pg, const struct streamer_config *config, bool narrow,
                                   struct err *err);

#endif
