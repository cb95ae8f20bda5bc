#include "config_internal.h"

#include <assert.h>

/* The first byte chooses the form; the rest is the file's text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_list items = {0};
    struct err err = {.code = ERR_NONE};
    if (size == 0)
        return 0;
    const char *path = data[0] == 'j' ? "x.json" : "x.properties";
    bool ok = config_file_parse(path, (struct slice){(const char *)data + 1, size - 1}, &items, &err);
    assert(ok || (err.code == ERR_CONFIG && err.text[0] == 'x'));
    for (size_t i = 0; i < items.count; i++)
        assert(items.items[i].name != NULL && items.items[i].value != NULL &&
               items.items[i].origin[0] == 'x');
    config_list_release(&items);
    return 0;
}
