/* message_input: a fuzzer's bytes as a session of pgoutput messages.
 *
 *     header 1: protocol version - 1 in bits 0-1, streaming=parallel in bit 2
 *     then for each message: length 2, big-endian | bytes
 *
 * Each message is copied to a block of exactly its length, so that a read past it is seen.
 */
#ifndef WALFERRY_FUZZ_MESSAGE_INPUT_H
#define WALFERRY_FUZZ_MESSAGE_INPUT_H

#include "walferry/pgoutput.h"
#include "walferry/reader.h"

#include <assert.h>
#include <stdlib.h>

struct message_input {
    struct reader reader;
    int version;
    bool parallel;
    char *block;
    struct slice bytes; /* the message */
};

static inline void message_input_init(struct message_input *input, const uint8_t *data, size_t size)
{
    reader_init(&input->reader, (struct slice){(const char *)data, size});
    uint8_t header = reader_u8(&input->reader, "header");
    input->version = 1 + (header & 3);
    input->parallel = (header & 4) != 0;
    input->block = NULL;
}

static inline bool message_input_next(struct message_input *input)
{
    free(input->block);
    input->block = NULL;
    size_t len = reader_u16(&input->reader, "length");
    if (len > reader_left(&input->reader))
        len = reader_left(&input->reader);
    struct slice bytes = reader_bytes(&input->reader, len, "message");
    if (input->reader.failed)
        return false;
    input->block = malloc(len > 0 ? len : 1);
    assert(input->block != NULL);
    memcpy(input->block, bytes.data, len);
    input->bytes = (struct slice){input->block, len};
    return true;
}

#endif
