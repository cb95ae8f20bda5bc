#include "walferry/position.h"

#include <assert.h>
#include <stdlib.h>

/* What was read and written again must be read as the same; `lsn` is normalised by the first write. */
static void check_round_trip(const struct position *first)
{
    struct position second, third;
    struct err err;
    struct buf out;
    buf_init(&out, 65536);
    position_write_value(&out, first);
    assert(position_read_value(buf_slice(&out), &second, &err));
    assert(second.end_lsn == first->end_lsn && second.commit_lsn == first->commit_lsn);
    assert(second.ordinal == first->ordinal && second.last_end_lsn == first->last_end_lsn);
    assert(second.xid == first->xid && second.commit_time_us == first->commit_time_us);
    assert(second.snapshot == first->snapshot && second.timeline == first->timeline);
    assert(second.system_identifier == first->system_identifier);
    buf_clear(&out);
    position_write_value(&out, &second);
    assert(position_read_value(buf_slice(&out), &third, &err));
    assert(third.lsn == second.lsn);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *json = malloc(size > 0 ? size : 1);
    assert(json != NULL);
    memcpy(json, data, size);
    struct position position;
    struct err err = {.code = ERR_NONE};
    if (position_read_value((struct slice){json, size}, &position, &err))
        check_round_trip(&position);
    else
        assert(err.code == ERR_EVENT && err.text[0] != '\0');
    free(json);
    return 0;
}
