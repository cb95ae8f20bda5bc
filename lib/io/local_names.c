#include "local_names.h"

#include <stdlib.h>

static bool fill_slot(struct local_names *names, struct local_names_slot *slot, int64_t id)
{
    (void)sqlite3_bind_int64(names->find, 1, id);
    bool found = sqlite3_step(names->find) == SQLITE_ROW;
    if (found) {
        const void *text = sqlite3_column_blob(names->find, 0);
        size_t len = (size_t)sqlite3_column_bytes(names->find, 0);
        free(slot->text);
        *slot = (struct local_names_slot){.id = id, .text = malloc(len + 1), .len = len};
        if (slot->text == NULL)
            abort();
        if (len > 0)
            memcpy(slot->text, text, len);
    }
    (void)sqlite3_reset(names->find);
    return found;
}

bool local_names_get(struct local_names *names, int64_t id, struct slice *text)
{
    struct local_names_slot *slot = &names->slots[(uint64_t)id % LOCAL_NAMES_SLOTS];
    if (id <= 0 || (slot->id != id && !fill_slot(names, slot, id)))
        return false;
    *text = (struct slice){slot->text, slot->len};
    return true;
}

void local_names_release(struct local_names *names)
{
    for (size_t i = 0; i < LOCAL_NAMES_SLOTS; i++)
        free(names->slots[i].text);
    (void)sqlite3_finalize(names->find);
}
