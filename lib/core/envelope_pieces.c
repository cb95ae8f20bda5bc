#include "envelope_internal.h"

#include <stdlib.h>

struct piece {
    struct piece *next;
    _Alignas(16) char bytes[];
};

void *pieces_take(struct pieces *pieces, size_t len)
{
    struct piece *piece = calloc(1, sizeof(*piece) + len);
    if (piece == NULL)
        abort(); /* out of memory: a restart is safe by design */
    piece->next = pieces->first;
    pieces->first = piece;
    return piece->bytes;
}

struct slice pieces_keep(struct pieces *pieces, struct slice bytes)
{
    char *copy = pieces_take(pieces, bytes.len + PIECES_STEP);
    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    return (struct slice){copy, bytes.len};
}

void pieces_release(struct pieces *pieces)
{
    while (pieces->first != NULL) {
        struct piece *piece = pieces->first;
        pieces->first = piece->next;
        free(piece);
    }
}
