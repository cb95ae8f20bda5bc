#include "local_frame.h"

#include <assert.h>

/* The frame as it is, then the bytes of its slices in the order of `parts`; the pointers in it only say
 * whether a part is null. */
static void list_parts(struct local_frame *frame, struct slice *parts[4])
{
    parts[0] = &frame->topic;
    parts[1] = &frame->key;
    parts[2] = &frame->value;
    parts[3] = &frame->headers;
}

void local_frame_append(struct buf *out, const struct local_frame *frame)
{
    struct local_frame head = *frame;
    struct slice *parts[4];
    list_parts(&head, parts);
    size_t size = sizeof(head);
    for (int i = 0; i < 4; i++)
        size += parts[i]->len;
    char *to = buf_reserve(out, size);
    assert(to != NULL); /* these buffers are bounded by has_room and by the reader's batches */
    memcpy(to, &head, sizeof(head));
    to += sizeof(head);
    for (int i = 0; i < 4; i++) {
        if (parts[i]->len > 0)
            memcpy(to, parts[i]->data, parts[i]->len);
        to += parts[i]->len;
    }
    out->len += size;
}

bool local_frame_take(struct slice *rest, struct local_frame *frame)
{
    if (rest->len == 0)
        return false;
    assert(rest->len >= sizeof(*frame));
    memcpy(frame, rest->data, sizeof(*frame));
    struct slice *parts[4];
    list_parts(frame, parts);
    const char *from = rest->data + sizeof(*frame);
    for (int i = 0; i < 4; i++) {
        if (parts[i]->data != NULL)
            parts[i]->data = from;
        from += parts[i]->len;
    }
    size_t size = (size_t)(from - rest->data);
    assert(size <= rest->len);
    *rest = (struct slice){from, rest->len - size};
    return true;
}
