#include "envelope_internal.h"
#include "walferry/json.h"

/* A fixed part of an event is written into room reserved once; `put` may not exceed it. */
static inline __attribute__((always_inline)) char *put(char *to, struct slice text)
{
    memcpy(to, text.data, text.len);
    return to + text.len;
}

#define PUT(to, literal) put(to, SLICE_LITERAL(literal))

static char *put_uint_or_null(char *to, uint64_t value)
{
    return value == 0 ? PUT(to, "null") : json_write_int(to, (int64_t)value);
}

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0 ? 1 : 0);
}

static const struct commit_texts *commit_texts(struct envelope *envelope, int64_t time_us)
{
    struct commit_texts *texts = &envelope->commit;
    if (texts->valid && texts->time_us == time_us)
        return texts;
    texts->valid = true;
    texts->time_us = time_us;
    texts->ms_len = (uint8_t)(json_write_int(texts->ms, floor_div(time_us, 1000)) - texts->ms);
    char *to = json_write_int(texts->us_ns, time_us);
    to = PUT(to, ",\"ts_ns\":");
    to = json_write_int(to, time_us * 1000);
    texts->us_ns_len = (uint8_t)(to - texts->us_ns);
    return texts;
}

static struct slice marker_text(const struct envelope *envelope, enum snapshot_marker marker)
{
    switch (marker) {
    case MARKER_TRUE:
        return SLICE_LITERAL(",\"snapshot\":\"true\"");
    case MARKER_FIRST:
        return SLICE_LITERAL(",\"snapshot\":\"first\"");
    case MARKER_FIRST_IN_DATA_COLLECTION:
        return SLICE_LITERAL(",\"snapshot\":\"first_in_data_collection\"");
    case MARKER_LAST_IN_DATA_COLLECTION:
        return SLICE_LITERAL(",\"snapshot\":\"last_in_data_collection\"");
    case MARKER_LAST:
        return SLICE_LITERAL(",\"snapshot\":\"last\"");
    case MARKER_INCREMENTAL:
        return SLICE_LITERAL(",\"snapshot\":\"incremental\"");
    case MARKER_FALSE:
        break;
    }
    return envelope->options.snapshot_false_as_null ? SLICE_LITERAL(",\"snapshot\":null")
                                                    : SLICE_LITERAL(",\"snapshot\":\"false\"");
}

/* The event's own LSN stands in it up to three times. */
struct number_text {
    uint8_t len;
    char text[JSON_INT_SIZE];
};

static struct number_text number_text(uint64_t value)
{
    struct number_text number;
    number.len = (uint8_t)(json_write_int(number.text, (int64_t)value) - number.text);
    return number;
}

static char *put_number(char *to, const struct number_text *number)
{
    memcpy(to, number->text, sizeof(number->text)); /* a fixed size is one or two moves */
    return to + number->len;
}

/* "[null,\"24023184\"]" as a JSON string inside JSON; the opening is in source_db. */
static char *put_sequence(char *to, const struct event *event, const struct number_text *lsn)
{
    if (event->last_end_lsn == LSN_NONE) {
        to = PUT(to, "null,\\\"");
    } else {
        to = PUT(to, "\\\"");
        to = json_write_int(to, (int64_t)event->last_end_lsn);
        to = PUT(to, "\\\",\\\"");
    }
    to = put_number(to, lsn);
    return PUT(to, "\\\"]\",\"ts_us\":");
}

#define SOURCE_ROOM 512 /* the numbers, the marker and the fixed text between them */

void envelope_append_source(struct envelope *envelope, const struct event *event, struct slice table,
                            struct buf *out)
{
    const struct commit_texts *commit = commit_texts(envelope, event->commit_time_us);
    size_t room = SOURCE_ROOM + envelope->source_head.len + envelope->source_db.len + table.len;
    char *from = buf_room(out, room);
    if (from == NULL)
        return;
    const struct number_text lsn = number_text(event->lsn);
    char *to = pieces_copy(from, envelope->source_head);
    memcpy(to, commit->ms, sizeof(commit->ms)); /* a fixed size is a few moves */
    to += commit->ms_len;
    to = put(to, marker_text(envelope, event->marker));
    to = pieces_copy(to, envelope->source_db);
    to = put_sequence(to, event, &lsn);
    memcpy(to, commit->us_ns, sizeof(commit->us_ns));
    to = pieces_copy(to + commit->us_ns_len, table);
    to = put_uint_or_null(to, event->xid);
    to = PUT(to, ",\"lsn\":");
    to = event->lsn == LSN_NONE ? PUT(to, "null") : put_number(to, &lsn);
    to = PUT(to, ",\"xmin\":null,\"origin\":");
    out->len += (size_t)(to - from);
    if (event->origin.data == NULL)
        buf_append_text(out, "null,\"origin_lsn\":null}");
    else {
        json_append_string(out, event->origin);
        buf_append_text(out, ",\"origin_lsn\":");
        buf_append_uint(out, event->origin_lsn);
        buf_append_char(out, '}');
    }
}

#define BLOCK_ROOM 192

void envelope_append_block(const struct event *event, struct buf *out)
{
    char *from = buf_room(out, BLOCK_ROOM);
    if (from == NULL)
        return;
    char *to = PUT(from, ",\"transaction\":");
    if (event->total_order == 0) {
        to = PUT(to, "null");
    } else {
        to = PUT(to, "{\"id\":\"");
        to = json_write_int(to, event->xid);
        *to++ = ':';
        to = json_write_int(to, (int64_t)event->lsn);
        to = PUT(to, "\",\"total_order\":");
        to = json_write_int(to, (int64_t)event->total_order);
        to = PUT(to, ",\"data_collection_order\":");
        to = json_write_int(to, (int64_t)event->collection_order);
        *to++ = '}';
    }
    out->len += (size_t)(to - from);
}

/* ts_ms and ts_us are the leading digits of ts_ns: the clock is past 1970, and they are cut, not rounded. */
static char *put_times(char *to, int64_t time_ns)
{
    const struct number_text ns = number_text((uint64_t)time_ns);
    if (time_ns < 1000000)
        return put_number(PUT(to, "0,\"ts_us\":0,\"ts_ns\":"), &ns); /* no clock shows that */
    memcpy(to, ns.text, sizeof(ns.text));
    to = PUT(to + ns.len - 6, ",\"ts_us\":");
    memcpy(to, ns.text, sizeof(ns.text));
    to = PUT(to + ns.len - 3, ",\"ts_ns\":");
    return put_number(to, &ns);
}

void envelope_append_tail(const struct event *event, char op, struct slice close, struct buf *out)
{
    char *from = buf_room(out, BLOCK_ROOM);
    if (from == NULL)
        return;
    char *to = PUT(from, ",\"op\":\"");
    *to++ = op;
    to = PUT(to, "\",\"ts_ms\":");
    to = put_times(to, event->event_time_ns);
    to = put(to, close);
    out->len += (size_t)(to - from);
}
