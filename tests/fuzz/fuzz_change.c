#include "walferry/change.h"

#include <assert.h>
#include <string.h>

#define RECORD_BYTES_MAX (1 << 20)

/* The input is key, value and a header, parted by zero bytes (which JSON cannot hold raw). */
static struct slice take(struct slice *rest)
{
    const char *zero = rest->len > 0 ? memchr(rest->data, '\0', rest->len) : NULL;
    struct slice part = {rest->data, zero != NULL ? (size_t)(zero - rest->data) : rest->len};
    size_t used = part.len + (zero != NULL ? 1 : 0);
    *rest = (struct slice){rest->data + used, rest->len - used};
    return part.len > 0 ? part : SLICE_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"__debezium.newkey", "__debezium.oldkey",
                                        "walferry.unchanged.columns", "walferry.exact.columns",
                                        "walferry.exact.before"};
    static struct change_reader *reader; /* as in the applier: its memory serves every record */
    if (reader == NULL)
        reader = change_reader_new(RECORD_BYTES_MAX);
    struct slice rest = {(const char *)data, size};
    struct slice key = take(&rest), value = take(&rest);
    struct header header = {slice_of(names[size % (sizeof(names) / sizeof(names[0]))]), take(&rest)};
    struct record record = {.key = key, .value = value, .headers = &header, .header_count = 1};
    struct change change;
    struct err err;
    if (!change_read(reader, &record, &change, &err))
        assert(err.code == ERR_EVENT || err.code == ERR_LIMIT);
    else if (change.kind == CHANGE_ROW && (change.op == EVENT_CREATE || change.op == EVENT_UPDATE))
        assert(change.after.present);
    return 0;
}
