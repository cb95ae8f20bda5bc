#include "walferry/transaction.h"

#include "walferry/buf.h"

#include "collections.h"

#include <assert.h>
#include <stdlib.h>

struct transaction {
    bool open;
    uint32_t xid;
    lsn_t first_lsn;
    lsn_t commit_lsn, end_lsn;
    lsn_t last_end_lsn;
    int64_t commit_time_us;
    uint64_t ordinal, total;
    struct buf origin; /* copied: its message is gone when the rows come */
    lsn_t origin_lsn;
    struct collections collections;
    /* The last message, as far as its events need it. */
    struct event event; /* what all its events have in common */
    struct tuple before, after;
    struct relation **relations; /* of a TRUNCATE one per event, else one */
    size_t relation_count, relations_max;
    size_t event_count;
};

#define ORIGIN_BYTES_MAX 65536 /* pg_replication_origin.roname is a text, far shorter in practice */

typedef bool apply_message(struct transaction *t, const struct message *message,
                           struct relation_cache *relations, enum transaction_step *step, struct err *err);

static void reserve_relations(struct transaction *t, size_t count)
{
    if (count <= t->relations_max)
        return;
    free(t->relations);
    t->relations = calloc(count, sizeof(struct relation *));
    if (t->relations == NULL)
        abort(); /* out of memory: a restart is safe by design */
    t->relations_max = count;
}

struct transaction *transaction_new(void)
{
    struct transaction *t = calloc(1, sizeof(*t));
    if (t == NULL)
        abort(); /* out of memory: a restart is safe by design */
    buf_init(&t->origin, ORIGIN_BYTES_MAX);
    collections_init(&t->collections);
    reserve_relations(t, 1);
    return t;
}

void transaction_free(struct transaction *t)
{
    if (t == NULL)
        return;
    buf_release(&t->origin);
    collections_release(&t->collections);
    free(t->relations);
    free(t);
}

static void forget_message(struct transaction *t)
{
    t->event_count = t->relation_count = 0;
}

static void forget_origin(struct transaction *t)
{
    buf_clear(&t->origin);
    t->origin_lsn = LSN_NONE;
}

void transaction_reset(struct transaction *t, lsn_t last_end_lsn)
{
    t->open = false;
    t->xid = 0;
    t->first_lsn = t->commit_lsn = t->end_lsn = LSN_NONE;
    t->last_end_lsn = last_end_lsn;
    t->ordinal = t->total = 0;
    forget_origin(t);
    forget_message(t);
    collections_clear(&t->collections);
}

static bool apply_begin(struct transaction *t, const struct message *message,
                        struct relation_cache *relations, enum transaction_step *step, struct err *err)
{
    (void)relations;
    if (t->open)
        return err_set(err, ERR_PROTOCOL,
                       "pgoutput: Begin of transaction %u inside transaction %u, which has no Commit",
                       message->u.begin.xid, t->xid);
    lsn_t first_lsn = t->event.lsn; /* the Begin message's own */
    lsn_t last_end_lsn = t->last_end_lsn;
    transaction_reset(t, last_end_lsn);
    t->open = true;
    t->xid = message->u.begin.xid;
    t->first_lsn = first_lsn;
    t->commit_lsn = message->u.begin.final_lsn;
    t->commit_time_us = message->u.begin.commit_time_us;
    *step = TRANSACTION_BEGIN;
    return true;
}

static bool apply_commit(struct transaction *t, const struct message *message,
                         struct relation_cache *relations, enum transaction_step *step, struct err *err)
{
    (void)relations;
    if (!t->open)
        return err_set(err, ERR_PROTOCOL, "pgoutput: Commit at " LSN_FMT " without a Begin",
                       LSN_ARG(message->u.commit.commit_lsn));
    if (message->u.commit.commit_lsn != t->commit_lsn)
        return err_set(err, ERR_PROTOCOL,
                       "pgoutput: Commit of transaction %u at " LSN_FMT " where its Begin announced " LSN_FMT,
                       t->xid, LSN_ARG(message->u.commit.commit_lsn), LSN_ARG(t->commit_lsn));
    if (message->u.commit.end_lsn <= t->commit_lsn)
        return err_set(err, ERR_PROTOCOL,
                       "pgoutput: Commit of transaction %u ends at " LSN_FMT ", before it begins at " LSN_FMT,
                       t->xid, LSN_ARG(message->u.commit.end_lsn), LSN_ARG(t->commit_lsn));
    t->open = false;
    t->end_lsn = t->last_end_lsn = message->u.commit.end_lsn;
    forget_origin(t);
    *step = TRANSACTION_END;
    return true;
}

static bool apply_origin(struct transaction *t, const struct message *message,
                         struct relation_cache *relations, enum transaction_step *step, struct err *err)
{
    (void)relations;
    (void)step;
    if (!t->open)
        return err_set(err, ERR_PROTOCOL, "pgoutput: Origin outside a transaction");
    buf_clear(&t->origin);
    buf_append_slice(&t->origin, message->u.origin.name);
    if (t->origin.overflowed)
        return err_set(err, ERR_LIMIT, "pgoutput: the name of a replication origin is longer than %d bytes",
                       ORIGIN_BYTES_MAX);
    t->origin_lsn = message->u.origin.origin_lsn;
    return true;
}

static bool apply_relation(struct transaction *t, const struct message *message,
                           struct relation_cache *relations, enum transaction_step *step, struct err *err)
{
    (void)err;
    t->relations[0] = relation_cache_put(relations, &message->u.relation);
    t->relation_count = 1;
    *step = TRANSACTION_RELATION;
    return true;
}

static bool apply_nothing(struct transaction *t, const struct message *message,
                          struct relation_cache *relations, enum transaction_step *step, struct err *err)
{
    (void)t;
    (void)message;
    (void)relations;
    (void)step;
    (void)err;
    return true;
}

/* What all events of the message say: where it stands in the open transaction. */
static void begin_events(struct transaction *t, enum event_op op, size_t event_count)
{
    t->event = (struct event){
        .op = op,
        .xid = t->xid,
        .lsn = t->event.lsn,
        .commit_lsn = t->commit_lsn,
        .ordinal = ++t->ordinal,
        .last_end_lsn = t->last_end_lsn,
        .commit_time_us = t->commit_time_us,
        .origin = t->origin.len > 0 ? buf_slice(&t->origin) : SLICE_NONE,
        .origin_lsn = t->origin_lsn,
    };
    t->event_count = event_count;
}

/* The change's relation into t->relations[index]. */
static bool find_relation(struct transaction *t, const struct relation_cache *relations, size_t index,
                          uint32_t oid, struct err *err)
{
    if (!t->open)
        return err_set(err, ERR_PROTOCOL, "pgoutput: a change of relation %u outside a transaction", oid);
    t->relations[index] = relation_cache_get(relations, oid);
    if (t->relations[index] == NULL)
        return err_set(err, ERR_PROTOCOL,
                       "pgoutput: a change of relation %u that no Relation message described", oid);
    t->relation_count = index + 1;
    return true;
}

static bool check_tuple(const struct transaction *t, const struct tuple *tuple, struct err *err)
{
    const struct relation *relation = t->relations[0];
    if (tuple->count == relation->column_count)
        return true;
    return err_set(err, ERR_PROTOCOL,
                   "pgoutput: a row of \"" SLICE_FMT "\".\"" SLICE_FMT
                   "\" has %u columns where its Relation message has %u",
                   SLICE_ARG(relation->schema), SLICE_ARG(relation->name), tuple->count,
                   relation->column_count);
}

static bool apply_insert(struct transaction *t, const struct message *message,
                         struct relation_cache *relations, enum transaction_step *step, struct err *err)
{
    if (!find_relation(t, relations, 0, message->u.insert.relation_oid, err) ||
        !check_tuple(t, &message->u.insert.new_tuple, err))
        return false;
    begin_events(t, EVENT_CREATE, 1);
    t->after = message->u.insert.new_tuple;
    t->event.after = &t->after;
    *step = TRANSACTION_EVENTS;
    return true;
}

static bool apply_update(struct transaction *t, const struct message *message,
                         struct relation_cache *relations, enum transaction_step *step, struct err *err)
{
    bool has_old = message->u.update.old_kind != OLD_TUPLE_NONE;
    if (!find_relation(t, relations, 0, message->u.update.relation_oid, err) ||
        (has_old && !check_tuple(t, &message->u.update.old_tuple, err)) ||
        !check_tuple(t, &message->u.update.new_tuple, err))
        return false;
    begin_events(t, EVENT_UPDATE, 1);
    t->before = message->u.update.old_tuple;
    t->after = message->u.update.new_tuple;
    t->event.before = has_old ? &t->before : NULL;
    t->event.after = &t->after;
    t->event.old_kind = message->u.update.old_kind;
    *step = TRANSACTION_EVENTS;
    return true;
}

static bool apply_delete(struct transaction *t, const struct message *message,
                         struct relation_cache *relations, enum transaction_step *step, struct err *err)
{
    if (!find_relation(t, relations, 0, message->u.delete.relation_oid, err) ||
        !check_tuple(t, &message->u.delete.old_tuple, err))
        return false;
    begin_events(t, EVENT_DELETE, 1);
    t->before = message->u.delete.old_tuple;
    t->event.before = &t->before;
    t->event.old_kind = message->u.delete.old_kind;
    *step = TRANSACTION_EVENTS;
    return true;
}

static bool apply_truncate(struct transaction *t, const struct message *message,
                           struct relation_cache *relations, enum transaction_step *step, struct err *err)
{
    if (!t->open)
        return err_set(err, ERR_PROTOCOL, "pgoutput: a Truncate outside a transaction");
    size_t count = message->u.truncate.relation_count;
    reserve_relations(t, count);
    for (size_t i = 0; i < count; i++) {
        if (!find_relation(t, relations, i, message->u.truncate.relation_oids[i], err))
            return false;
    }
    begin_events(t, EVENT_TRUNCATE, count);
    *step = TRANSACTION_EVENTS;
    return true;
}

/* A message that is not transactional was decoded by itself, before the transaction that wrote it, if that
 * ever commits. It is a unit of its own: its LSN is its end, and what follows comes behind it. */
static void begin_lone_message(struct transaction *t)
{
    t->last_end_lsn = t->event.lsn;
    t->event = (struct event){.op = EVENT_MESSAGE,
                              .lsn = t->event.lsn,
                              .last_end_lsn = t->last_end_lsn,
                              .commit_time_us = t->commit_time_us};
    t->event_count = 1;
}

static bool apply_logical(struct transaction *t, const struct message *message,
                          struct relation_cache *relations, enum transaction_step *step, struct err *err)
{
    (void)relations;
    if (message->u.logical.transactional != t->open)
        return err_set(err, ERR_PROTOCOL, "pgoutput: a %s Message %s a transaction",
                       message->u.logical.transactional ? "transactional" : "non-transactional",
                       t->open ? "inside" : "outside");
    if (t->open)
        begin_events(t, EVENT_MESSAGE, 1);
    else
        begin_lone_message(t);
    t->event.prefix = message->u.logical.prefix;
    t->event.content = message->u.logical.content;
    *step = TRANSACTION_EVENTS;
    return true;
}

/* Streamed and prepared transactions come only where the session asked for them. */
static bool refuse(struct transaction *t, const struct message *message, struct relation_cache *relations,
                   enum transaction_step *step, struct err *err)
{
    (void)t;
    (void)relations;
    (void)step;
    return err_set(err, ERR_PROTOCOL,
                   "pgoutput: message '%c' of a streamed or prepared transaction, which nobody asked for",
                   message->kind);
}

static apply_message *const appliers[256] = {
    [MESSAGE_BEGIN] = apply_begin,       [MESSAGE_COMMIT] = apply_commit,
    [MESSAGE_ORIGIN] = apply_origin,     [MESSAGE_RELATION] = apply_relation,
    [MESSAGE_TYPE] = apply_nothing,      [MESSAGE_INSERT] = apply_insert,
    [MESSAGE_UPDATE] = apply_update,     [MESSAGE_DELETE] = apply_delete,
    [MESSAGE_TRUNCATE] = apply_truncate, [MESSAGE_LOGICAL] = apply_logical,
    [MESSAGE_STREAM_START] = refuse,     [MESSAGE_STREAM_STOP] = refuse,
    [MESSAGE_STREAM_COMMIT] = refuse,    [MESSAGE_STREAM_ABORT] = refuse,
    [MESSAGE_BEGIN_PREPARE] = refuse,    [MESSAGE_PREPARE] = refuse,
    [MESSAGE_COMMIT_PREPARED] = refuse,  [MESSAGE_ROLLBACK_PREPARED] = refuse,
    [MESSAGE_STREAM_PREPARE] = refuse,
};

bool transaction_apply(struct transaction *t, const struct message *message, lsn_t message_lsn,
                       struct relation_cache *relations, enum transaction_step *step, struct err *err)
{
    apply_message *apply = appliers[message->kind & 0xFF];
    assert(apply != NULL); /* the decoder made the message */
    *step = TRANSACTION_NOTHING;
    forget_message(t);
    t->event.lsn = message_lsn;
    return apply(t, message, relations, step, err);
}

size_t transaction_event_count(const struct transaction *t)
{
    return t->event_count;
}

void transaction_event(const struct transaction *t, size_t index, struct event *event)
{
    assert(index < t->event_count);
    *event = t->event;
    event->relation = index < t->relation_count ? t->relations[index] : NULL;
}

void transaction_count(struct transaction *t, struct event *event)
{
    assert(t->open);
    event->total_order = ++t->total;
    if (event->relation != NULL)
        event->collection_order =
            collections_count(&t->collections, event->relation->schema, event->relation->name);
    else
        event->collection_order = collections_count_message(&t->collections);
}

bool transaction_is_open(const struct transaction *t)
{
    return t->open;
}

uint32_t transaction_xid(const struct transaction *t)
{
    return t->xid;
}

lsn_t transaction_commit_lsn(const struct transaction *t)
{
    return t->commit_lsn;
}

lsn_t transaction_end_lsn(const struct transaction *t)
{
    return t->end_lsn;
}

lsn_t transaction_first_lsn(const struct transaction *t)
{
    return t->first_lsn;
}

lsn_t transaction_last_end_lsn(const struct transaction *t)
{
    return t->last_end_lsn;
}

int64_t transaction_commit_time_us(const struct transaction *t)
{
    return t->commit_time_us;
}

uint64_t transaction_ordinal(const struct transaction *t)
{
    return t->ordinal;
}

uint64_t transaction_total(const struct transaction *t)
{
    return t->total;
}

const struct collection_count *transaction_collections(const struct transaction *t, size_t *count)
{
    *count = t->collections.count;
    return t->collections.items;
}

struct relation *transaction_relation(const struct transaction *t)
{
    return t->relation_count > 0 ? t->relations[0] : NULL;
}
