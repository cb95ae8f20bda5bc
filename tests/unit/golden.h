/* golden: records of tests/data/change/records.jsonl, captured from Debezium 3.6.1; each line has a name. */
#ifndef TEST_GOLDEN_H
#define TEST_GOLDEN_H

#include "walferry/event.h"

#include <stdio.h>
#include <stdlib.h>

#include <yyjson.h>

#define GOLDEN_HEADERS_MAX 8

struct golden {
    yyjson_doc *doc;
    struct header headers[GOLDEN_HEADERS_MAX];
    struct record record;
};

static inline struct slice golden_text(yyjson_val *node)
{
    return yyjson_is_str(node) ? (struct slice){yyjson_get_str(node), yyjson_get_len(node)} : SLICE_NONE;
}

static inline void golden_fill(struct golden *golden)
{
    yyjson_val *root = yyjson_doc_get_root(golden->doc), *header;
    size_t i, count;
    golden->record = (struct record){.topic = golden_text(yyjson_obj_get(root, "topic")),
                                     .key = golden_text(yyjson_obj_get(root, "key")),
                                     .value = golden_text(yyjson_obj_get(root, "value")),
                                     .headers = golden->headers};
    yyjson_arr_foreach(yyjson_obj_get(root, "headers"), i, count, header)
    {
        golden->headers[golden->record.header_count++] =
            (struct header){golden_text(yyjson_arr_get(header, 0)), golden_text(yyjson_arr_get(header, 1))};
    }
}

/* Opens the record of that name; the test stops where there is none. */
static inline void golden_open(struct golden *golden, const char *name)
{
    static char line[65536];
    *golden = (struct golden){0};
    FILE *file = fopen(TEST_DATA "/change/records.jsonl", "r");
    while (file != NULL && golden->doc == NULL && fgets(line, sizeof(line), file) != NULL) {
        golden->doc = yyjson_read(line, strlen(line), 0);
        if (!yyjson_equals_str(yyjson_obj_get(yyjson_doc_get_root(golden->doc), "name"), name)) {
            yyjson_doc_free(golden->doc);
            golden->doc = NULL;
        }
    }
    if (golden->doc == NULL)
        abort();
    (void)fclose(file);
    golden_fill(golden);
}

#endif
