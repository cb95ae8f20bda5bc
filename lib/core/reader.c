#include "walferry/reader.h"

void reader_fail_at(struct reader *r, size_t at, const char *field, const char *problem)
{
    if (r->failed)
        return;
    r->failed = true;
    r->field = field;
    r->problem = problem;
    r->failed_at = at;
}

bool reader_error(const struct reader *r, const char *what, struct err *err)
{
    return err_set(err, ERR_PROTOCOL, "%s: %s %s, at byte %zu of %zu", what, r->field, r->problem,
                   r->failed_at, r->len);
}

struct slice reader_text(struct reader *r, const char *field)
{
    if (r->failed)
        return SLICE_NONE;
    const char *start = r->data + r->at;
    const char *end = reader_left(r) == 0 ? NULL : memchr(start, '\0', reader_left(r));
    if (end == NULL) {
        reader_fail_at(r, r->at, field, "has no end");
        return SLICE_NONE;
    }
    size_t len = (size_t)(end - start);
    r->at += len + 1;
    return (struct slice){start, len};
}
