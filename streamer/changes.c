#include "streamer.h"

#include "catalog.h"

#include "walferry/clock.h"
#include "walferry/log.h"

#include <string.h>

/* The life of a change: message → transaction → event → records → sink.
 *
 * What is stored already is recognised at two places only: at Begin, by the transaction's commit LSN, and
 * inside a partly stored transaction by the change's ordinal. Repeated changes are encoded all the same, so
 * that the counts of the transaction go on as they did the first time.
 */

void changes_reset(struct streamer *s)
{
    pgoutput_decoder_reset(s->decoder);
    relation_cache_clear(s->relations);
    transaction_reset(s->transaction, s->position.last_end_lsn);
    ack_window_reset(s->ack);
    s->repeating = s->repeat_begin = s->transaction_published = false;
    s->repeat_until = 0;
}

void changes_publish(struct streamer *s, struct record *record)
{
    record->ack_seq = ack_window_add(s->ack);
    s->sink->ops->publish(s->sink, record);
    metrics_add(&s->metrics, RECORDS_TOTAL, 1);
    metrics_add(&s->metrics, BYTES_TOTAL, (double)(record->key.len + record->value.len));
}

static void mark(struct streamer *s)
{
    s->advance_pending = false;
    s->sink->ops->mark(s->sink, &s->position);
}

/* ---- relations ---- */

static void on_omitted(void *data, const struct relation *relation, const struct column *column)
{
    struct streamer *s = data;
    metrics_add(&s->metrics, COLUMNS_OMITTED_TOTAL, 1);
    log_warn("encode", "column left out: its type has no form in the events",
             LOG_SLICE("schema", relation->schema), LOG_SLICE("table", relation->name),
             LOG_SLICE("column", column->name), LOG_SLICE("type", column->type_name));
}

bool changes_prepare_relation(struct streamer *s, struct relation *relation, struct err *err)
{
    return envelope_prepare(s->envelope, relation, on_omitted, s, err);
}

/* A statement that took too long is tried again with a new session. */
static bool load_relation(struct streamer *s, struct err *err)
{
    struct relation *relation = transaction_relation(s->transaction);
    if (!catalog_load_facts(s->pg, relation, err)) {
        if (strcmp(err->sqlstate, "57014") == 0)
            err->action = ERR_RETRY;
        return false;
    }
    log_debug("stream", "relation", LOG_SLICE("schema", relation->schema), LOG_SLICE("table", relation->name),
              LOG_INT("version", relation->version));
    return changes_prepare_relation(s, relation, err);
}

/* ---- transactions ---- */

static bool apply_begin(struct streamer *s, struct err *err)
{
    const struct transaction *t = s->transaction;
    lsn_t commit_lsn = transaction_commit_lsn(t);
    s->repeating = position_covers_transaction(&s->position, commit_lsn);
    s->repeat_begin = commit_lsn == s->position.commit_lsn;
    s->repeat_until = s->repeat_begin ? s->position.ordinal : 0;
    s->transaction_published = s->repeat_begin;
    if (s->repeating)
        return true;
    if (s->position.commit_lsn != LSN_NONE && !s->repeat_begin)
        log_warn("stream", "the rest of a partly stored transaction never came",
                 LOG_LSN("commit_lsn", s->position.commit_lsn));
    ack_window_open(s->ack);
    if (!s->config.transaction_metadata || s->repeat_begin)
        return true;
    struct record record;
    if (!envelope_encode_begin(s->envelope, t, &record, err))
        return false;
    record.xid = transaction_xid(t);
    record.commit_lsn = commit_lsn;
    record.ordinal = 0;
    changes_publish(s, &record);
    s->transaction_published = true;
    s->position.commit_lsn = commit_lsn;
    s->position.ordinal = 0;
    s->position.xid = record.xid;
    s->position.lsn = transaction_first_lsn(t);
    mark(s);
    return true;
}

static bool publish_end(struct streamer *s, struct err *err)
{
    const struct transaction *t = s->transaction;
    struct record record;
    if (!envelope_encode_end(s->envelope, t, &record, err))
        return false;
    record.xid = transaction_xid(t);
    record.commit_lsn = transaction_commit_lsn(t);
    record.ordinal = transaction_ordinal(t) + 1;
    changes_publish(s, &record);
    s->transaction_published = true;
    return true;
}

static bool apply_end(struct streamer *s, struct err *err)
{
    lsn_t end_lsn = transaction_end_lsn(s->transaction);
    if (s->repeating)
        return true;
    if (s->config.transaction_metadata && !publish_end(s, err))
        return false;
    ack_window_close(s->ack, end_lsn);
    metrics_add(&s->metrics, TRANSACTIONS_TOTAL, 1);
    s->position.end_lsn = s->position.last_end_lsn = end_lsn;
    s->position.commit_lsn = LSN_NONE;
    s->position.ordinal = 0;
    s->position.commit_time_us = transaction_commit_time_us(s->transaction);
    if (s->transaction_published)
        mark(s);
    else
        s->advance_pending = true;
    return true;
}

/* ---- changes ---- */

static void count_event(struct streamer *s, enum event_op op)
{
    static const uint8_t metrics[128] = {
        ['c'] = CREATES_TOTAL,   ['u'] = UPDATES_TOTAL,  ['d'] = DELETES_TOTAL,
        ['t'] = TRUNCATES_TOTAL, ['m'] = MESSAGES_TOTAL, ['r'] = READS_TOTAL,
    };
    metrics_add(&s->metrics, EVENTS_TOTAL, 1);
    metrics_add(&s->metrics, metrics[op & 127], 1);
}

static bool encode_event(struct streamer *s, size_t index, struct record_set *set, struct event *event,
                         struct err *err)
{
    transaction_event(s->transaction, index, event);
    set->count = 0;
    if (event->op != EVENT_MESSAGE && streamer_config_skips(&s->config, (char)event->op)) {
        metrics_add(&s->metrics, SKIPPED_TOTAL, 1);
        return true;
    }
    event->event_time_ns = clock_wall_ns();
    bool in_block = s->config.transaction_metadata && event->commit_lsn != LSN_NONE;
    return envelope_encode(s->envelope, event, in_block ? s->transaction : NULL, set, err);
}

static void publish_event(struct streamer *s, const struct event *event, struct record_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        struct record *record = &set->records[i];
        record->xid = event->xid;
        record->commit_lsn = event->commit_lsn;
        record->ordinal = event->ordinal;
        changes_publish(s, record);
    }
    if (set->count > 0) {
        s->transaction_published = true;
        count_event(s, event->op);
    }
}

/* Outside a transaction: a unit of its own, whose LSN is its end. */
static bool apply_lone_message(struct streamer *s, struct err *err)
{
    struct record_set set;
    struct event event;
    if (!encode_event(s, 0, &set, &event, err))
        return false;
    if (event.lsn <= s->position.end_lsn) {
        metrics_add(&s->metrics, REPEATED_TOTAL, 1);
        return true;
    }
    ack_window_open(s->ack);
    publish_event(s, &event, &set);
    ack_window_close(s->ack, event.lsn);
    s->position.end_lsn = s->position.last_end_lsn = event.lsn;
    s->position.commit_lsn = LSN_NONE;
    s->position.ordinal = 0;
    mark(s);
    return true;
}

static bool apply_events(struct streamer *s, struct err *err)
{
    uint64_t ordinal = transaction_ordinal(s->transaction);
    size_t count = transaction_event_count(s->transaction);
    bool repeated = s->repeating || ordinal <= s->repeat_until;
    struct record_set set;
    struct event event = {.xid = 0};
    if (!transaction_is_open(s->transaction))
        return apply_lone_message(s, err);
    if (repeated)
        metrics_add(&s->metrics, REPEATED_TOTAL, 1);
    if (s->repeating)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (!encode_event(s, i, &set, &event, err))
            return false;
        if (!repeated)
            publish_event(s, &event, &set);
    }
    if (repeated || !s->transaction_published)
        return true;
    s->position.commit_lsn = event.commit_lsn;
    s->position.ordinal = ordinal;
    s->position.lsn = event.lsn;
    s->position.xid = event.xid;
    mark(s);
    return true;
}

bool changes_apply(struct streamer *s, struct slice bytes, lsn_t message_lsn, struct err *err)
{
    struct message message;
    enum transaction_step step;
    if (!pgoutput_decode(s->decoder, bytes, &message, err) ||
        !transaction_apply(s->transaction, &message, message_lsn, s->relations, &step, err))
        return false;
    switch (step) {
    case TRANSACTION_EVENTS:
        return apply_events(s, err);
    case TRANSACTION_BEGIN:
        return apply_begin(s, err);
    case TRANSACTION_END:
        return apply_end(s, err);
    case TRANSACTION_RELATION:
        return load_relation(s, err);
    case TRANSACTION_NOTHING:
        break;
    }
    return true;
}
