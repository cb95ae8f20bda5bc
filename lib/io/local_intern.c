#include "local_intern.h"

#include <stdlib.h>

static uint64_t hash(struct slice text)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < text.len; i++)
        h = (h ^ (unsigned char)text.data[i]) * 1099511628211u;
    return h ^ h >> 32;
}

static void bind(const struct local_intern *intern, sqlite3_stmt *statement, struct slice text)
{
    if (intern->is_blob)
        (void)sqlite3_bind_blob64(statement, 1, text.data, text.len, SQLITE_STATIC);
    else
        (void)sqlite3_bind_text64(statement, 1, text.data, text.len, SQLITE_STATIC, SQLITE_UTF8);
}

static int64_t add(struct local_intern *intern, struct slice text)
{
    if (intern->room <= 0)
        return 0;
    bind(intern, intern->add, text);
    int rc = sqlite3_step(intern->add);
    (void)sqlite3_reset(intern->add);
    if (rc != SQLITE_DONE)
        return -1;
    intern->room--;
    return sqlite3_last_insert_rowid(sqlite3_db_handle(intern->add));
}

static int64_t find_or_add(struct local_intern *intern, struct slice text)
{
    int64_t id = -1;
    bind(intern, intern->find, text);
    int rc = sqlite3_step(intern->find);
    if (rc == SQLITE_ROW)
        id = sqlite3_column_int64(intern->find, 0);
    (void)sqlite3_reset(intern->find);
    return rc == SQLITE_DONE ? add(intern, text) : id;
}

static void take_slot(struct local_intern_slot *slot, struct slice text)
{
    free(slot->text);
    *slot = (struct local_intern_slot){.text = malloc(text.len + 1), .len = text.len};
    if (slot->text == NULL)
        abort();
    memcpy(slot->text, text.data, text.len);
}

int64_t local_intern_id(struct local_intern *intern, struct slice text)
{
    struct local_intern_slot *slot = &intern->slots[hash(text) % LOCAL_INTERN_SLOTS];
    if (slot->text == NULL || slot->len != text.len || memcmp(slot->text, text.data, text.len) != 0)
        take_slot(slot, text);
    if (slot->id > 0)
        return slot->id;
    if (slot->seen < intern->worth)
        slot->seen++;
    if (slot->seen < intern->worth)
        return 0;
    int64_t id = find_or_add(intern, text);
    if (id > 0)
        slot->id = id;
    return id;
}

void local_intern_clear(struct local_intern *intern)
{
    for (size_t i = 0; i < LOCAL_INTERN_SLOTS; i++) {
        free(intern->slots[i].text);
        intern->slots[i] = (struct local_intern_slot){.text = NULL};
    }
}

void local_intern_release(struct local_intern *intern)
{
    local_intern_clear(intern);
    (void)sqlite3_finalize(intern->find);
    (void)sqlite3_finalize(intern->add);
}
