#include "walferry/transaction.h"

#include "message_input.h"

struct session {
    struct transaction *transaction;
    struct relation_cache *relations;
    lsn_t lsn; /* rises with each message, as the stream's does */
    uint64_t ordinal, total;
};

static void take_events(struct session *s)
{
    bool open = transaction_is_open(s->transaction);
    size_t count = transaction_event_count(s->transaction);
    s->ordinal += open ? 1 : 0;
    for (size_t i = 0; i < count; i++) {
        struct event event;
        transaction_event(s->transaction, i, &event);
        assert(event.lsn == s->lsn);
        assert((event.relation == NULL) == (event.op == EVENT_MESSAGE));
        assert(event.after == NULL || event.after->count == event.relation->column_count);
        assert(event.before == NULL || event.before->count == event.relation->column_count);
        assert(event.ordinal == (open ? s->ordinal : 0));
        if (!open)
            continue;
        transaction_count(s->transaction, &event);
        assert(event.total_order == ++s->total);
        assert(event.collection_order >= 1 && event.collection_order <= s->total);
    }
}

static void check_collections(const struct session *s)
{
    uint64_t sum = 0;
    size_t count;
    const struct collection_count *counts = transaction_collections(s->transaction, &count);
    for (size_t i = 0; i < count; i++)
        sum += counts[i].events;
    assert(sum == s->total && transaction_total(s->transaction) == s->total);
}

static void take_message(struct session *s, const struct message *message)
{
    struct err err = {.code = ERR_NONE};
    enum transaction_step step;
    s->lsn += 8;
    if (!transaction_apply(s->transaction, message, s->lsn, s->relations, &step, &err)) {
        assert(err.code == ERR_PROTOCOL || err.code == ERR_LIMIT);
        assert(transaction_event_count(s->transaction) == 0);
        return;
    }
    assert((step == TRANSACTION_EVENTS) || transaction_event_count(s->transaction) == 0);
    if (step == TRANSACTION_BEGIN)
        s->ordinal = s->total = 0;
    if (step == TRANSACTION_EVENTS)
        take_events(s);
    if (step == TRANSACTION_RELATION)
        assert(transaction_relation(s->transaction)->oid == message->u.relation.oid);
    if (step == TRANSACTION_END) {
        check_collections(s);
        assert(transaction_end_lsn(s->transaction) > transaction_commit_lsn(s->transaction));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct session s = {.transaction = transaction_new(), .relations = relation_cache_new()};
    struct message_input input;
    message_input_init(&input, data, size);
    struct pgoutput_decoder *decoder = pgoutput_decoder_new(input.version, input.parallel);
    while (message_input_next(&input)) {
        struct message message;
        struct err err;
        if (pgoutput_decode(decoder, input.bytes, &message, &err))
            take_message(&s, &message);
    }
    pgoutput_decoder_free(decoder);
    relation_cache_free(s.relations);
    transaction_free(s.transaction);
    return 0;
}
