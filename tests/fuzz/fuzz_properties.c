#include "walferry/properties.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct properties_reader reader;
    struct err err;
    enum properties_result result;
    properties_reader_init(&reader, (struct slice){(const char *)data, size});
    while ((result = properties_read(&reader, &err)) == PROPERTIES_ENTRY)
        assert(!reader.key.overflowed && !reader.value.overflowed);
    assert(result == PROPERTIES_END || err.code == ERR_CONFIG);
    properties_reader_release(&reader);
    return 0;
}
