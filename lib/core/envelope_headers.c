#include "envelope_internal.h"

struct slice envelope_span(const struct buf *buf, struct span span)
{
    return (struct slice){buf_slice(buf).data + span.from, span.len};
}

/* Closes a list of names or values and moves it to the headers; an empty span where there is none. */
static struct span take_list(struct envelope *envelope, struct buf *list, char close)
{
    struct span span = {envelope->headers.len, 0};
    if (list->len == 0)
        return span;
    buf_append_char(list, close);
    buf_append_slice(&envelope->headers, buf_slice(list));
    span.len = envelope->headers.len - span.from;
    return span;
}

static void add_header(const struct envelope *envelope, struct record *record, struct header *list,
                       const char *name, struct span span)
{
    if (span.len == 0)
        return;
    list[record->header_count++] = (struct header){slice_of(name), envelope_span(&envelope->headers, span)};
}

void envelope_set_headers(struct envelope *envelope, struct record *record, size_t index,
                          const struct header_spans *spans)
{
    struct header *list = envelope->header_lists[index];
    record->headers = list;
    record->header_count = 0;
    add_header(envelope, record, list, HEADER_NEW_KEY, spans->new_key);
    add_header(envelope, record, list, HEADER_OLD_KEY, spans->old_key);
    memcpy(list + record->header_count, envelope->context, envelope->context_count * sizeof(list[0]));
    record->header_count += envelope->context_count;
    add_header(envelope, record, list, HEADER_UNCHANGED_COLUMNS, spans->unchanged);
    add_header(envelope, record, list, HEADER_EXACT_COLUMNS, spans->exact);
    add_header(envelope, record, list, HEADER_EXACT_BEFORE, spans->exact_before);
}

void envelope_clear_lists(struct envelope *envelope)
{
    buf_clear(&envelope->unchanged);
    buf_clear(&envelope->exact);
}

void envelope_take_lists(struct envelope *envelope, struct header_spans *spans)
{
    spans->unchanged = take_list(envelope, &envelope->unchanged, ']');
    spans->exact = take_list(envelope, &envelope->exact, '}');
    envelope_clear_lists(envelope);
}

void envelope_take_before(struct envelope *envelope, struct header_spans *spans)
{
    spans->exact_before = take_list(envelope, &envelope->exact, '}');
    envelope_clear_lists(envelope);
}

bool envelope_check_size(const struct envelope *envelope, const struct record *record, struct slice schema,
                         struct slice name, struct err *err)
{
    size_t limit = envelope->options.record_bytes_max, len = record->key.len + record->value.len;
    bool overflowed = envelope->values[0].overflowed || envelope->values[1].overflowed ||
                      envelope->keys.overflowed || envelope->headers.overflowed ||
                      envelope->unchanged.overflowed || envelope->exact.overflowed;
    for (size_t i = 0; i < record->header_count; i++)
        len += record->headers[i].name.len + record->headers[i].value.len;
    if (!overflowed && len <= limit)
        return true;
    return err_set(err, ERR_LIMIT,
                   "a record of \"" SLICE_FMT "%s" SLICE_FMT
                   "\" exceeds %zu bytes; raise walferry.record.bytes.max",
                   SLICE_ARG(schema), schema.len > 0 ? "." : "", SLICE_ARG(name), limit);
}
