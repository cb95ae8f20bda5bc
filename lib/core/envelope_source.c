#include "envelope_internal.h"
#include "walferry/json.h"

/* A fixed part of an event is written into room reserved once; `put` may not exceed it. */
static char *put(char *to, struct slice text)
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

/* "[null,\"24023184\"]" as a JSON string inside JSON; the opening is in source_db. */
static char *put_sequence(char *to, const struct event *event)
{
    if (event->last_end_lsn == LSN_NONE) {
        to = PUT(to, "null,\\\"");
    } else {
        to = PUT(to, "\\\"");
        to = json_write_int(to, (int64_t)event->last_end_lsn);
        to = PUT(to, "\\\",\\\"");
    }
    to = json_write_int(to, (int64_t)event->lsn);
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
    char *to = put(from, envelope->source_head);
    to = put(to, (struct slice){commit->ms, commit->ms_len});
    to = put(to, marker_text(envelope, event->marker));
    to = put(to, envelope->source_db);
    to = put_sequence(to, event);
    to = put(to, (struct slice){commit->us_ns, commit->us_ns_len});
    to = put(to, table);
    to = put_uint_or_null(to, event->xid);
    to = PUT(to, ",\"lsn\":");
    to = put_uint_or_null(to, event->lsn);
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

void envelope_append_tail(const struct event *event, char op, struct slice close, struct buf *out)
{
    char *from = buf_room(out, BLOCK_ROOM);
    if (from == NULL)
        return;
    char *to = PUT(from, ",\"op\":\"");
    *to++ = op;
    to = PUT(to, "\",\"ts_ms\":");
    to = json_write_int(to, floor_div(event->event_time_ns, 1000000));
    to = PUT(to, ",\"ts_us\":");
    to = json_write_int(to, floor_div(event->event_time_ns, 1000));
    to = PUT(to, ",\"ts_ns\":");
    to = json_write_int(to, event->event_time_ns);
    to = put(to, close);
    out->len += (size_t)(to - from);
}
