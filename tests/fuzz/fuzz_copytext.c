#include "walferry/copytext.h"

#include <assert.h>
#include <stdlib.h>

/* Input: column count 1 | the row. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t len = size - 1;
    char *line = malloc(len > 0 ? len : 1);
    struct value *values = calloc(data[0] > 0 ? data[0] : 1, sizeof(*values));
    assert(line != NULL && values != NULL);
    memcpy(line, data + 1, len);
    struct tuple tuple;
    struct err err = {.code = ERR_NONE};
    if (copytext_read_row(line, len, data[0], values, &tuple, &err)) {
        const char *at = line;
        assert(tuple.count == data[0]);
        for (uint16_t i = 0; i < tuple.count; i++) {
            if (tuple.values[i].kind == VALUE_NULL)
                continue;
            assert(tuple.values[i].kind == VALUE_TEXT && tuple.values[i].bytes.data >= at);
            at = tuple.values[i].bytes.data + tuple.values[i].bytes.len;
        }
        assert(at <= line + len);
    } else {
        assert(err.code == ERR_PROTOCOL);
    }
    free(values);
    free(line);
    return 0;
}
