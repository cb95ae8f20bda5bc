/* slice: borrowed bytes.
 *
 * A slice never owns what it points to; the comment of the function that hands one out says how long the
 * bytes live. It is not NUL-terminated. {NULL, 0} stands for "absent" where a header says so; an empty text
 * has a non-NULL pointer.
 */
#ifndef WALFERRY_SLICE_H
#define WALFERRY_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *data;
    size_t len;
};

#define SLICE_LITERAL(text) ((struct slice){(text), sizeof(text) - 1})
#define SLICE_NONE ((struct slice){NULL, 0})

/* For printf: printf(SLICE_FMT, SLICE_ARG(s)). */
#define SLICE_FMT "%.*s"
#define SLICE_ARG(s) (int)(s).len, (s).data

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

#endif
