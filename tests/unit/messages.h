/* messages: captured pgoutput messages of tests/data/pgoutput, and hand-made ones from hexadecimal text.
 *
 *     struct captured *list; size_t count = messages_load("v1_text.txt", &list);
 *     list[i].lsn, list[i].bytes …                                    messages_free(list, count);
 *
 * Each message has a malloc'ed block of exactly its length, so that AddressSanitizer sees a read past it.
 */
#ifndef WALFERRY_TEST_MESSAGES_H
#define WALFERRY_TEST_MESSAGES_H

#include "walferry/lsn.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

struct captured {
    lsn_t lsn;
    struct slice bytes; /* owned */
};

static inline char hex_nibble(char c)
{
    return (char)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Lower-case hexadecimal text, blanks between bytes allowed, up to a newline or the end. */
static inline struct slice messages_from_hex(const char *hex)
{
    char *bytes = malloc(strlen(hex) / 2 + 1);
    size_t len = 0;
    assert_non_null(bytes);
    for (; *hex != '\0' && *hex != '\n'; hex++) {
        if (*hex == ' ')
            continue;
        bytes[len++] = (char)((unsigned char)hex_nibble(hex[0]) << 4 | (unsigned char)hex_nibble(hex[1]));
        hex++;
    }
    char *exact = malloc(len > 0 ? len : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    free(bytes);
    return (struct slice){exact, len};
}

static inline void messages_free_bytes(struct slice bytes)
{
    free((void *)(size_t)(const void *)bytes.data);
}

static inline size_t messages_load(const char *name, struct captured **list)
{
    char path[4096];
    char line[65536];
    size_t count = 0;
    (void)snprintf(path, sizeof(path), "%s/pgoutput/%s", TEST_DATA, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    *list = NULL;
    while (fgets(line, sizeof(line), file) != NULL) {
        *list = realloc(*list, (count + 1) * sizeof(**list));
        assert_non_null(*list);
        size_t lsn_len = strcspn(line, " ");
        assert_true(lsn_parse((struct slice){line, lsn_len}, &(*list)[count].lsn));
        (*list)[count++].bytes = messages_from_hex(line + lsn_len + 1);
    }
    (void)fclose(file);
    assert_true(count > 0);
    return count;
}

static inline void messages_free(struct captured *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        messages_free_bytes(list[i].bytes);
    free(list);
}

#endif
