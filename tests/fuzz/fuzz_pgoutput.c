#include "message_input.h"

static struct slice input_bytes;

static void check_inside(struct slice bytes)
{
    if (bytes.len == 0)
        return;
    assert(bytes.data >= input_bytes.data);
    assert(bytes.data + bytes.len <= input_bytes.data + input_bytes.len);
}

static void check_tuple(const struct tuple *tuple)
{
    assert(tuple->count <= RELATION_COLUMNS_MAX);
    for (uint16_t i = 0; i < tuple->count; i++)
        check_inside(tuple->values[i].bytes);
}

static void check_relation(const struct relation *relation)
{
    check_inside(relation->name);
    for (uint16_t i = 0; i < relation->column_count; i++)
        check_inside(relation->columns[i].name);
}

static void check_message(const struct message *message)
{
    if (message->kind == MESSAGE_INSERT)
        check_tuple(&message->u.insert.new_tuple);
    if (message->kind == MESSAGE_UPDATE) {
        check_tuple(&message->u.update.old_tuple);
        check_tuple(&message->u.update.new_tuple);
    }
    if (message->kind == MESSAGE_DELETE)
        check_tuple(&message->u.delete.old_tuple);
    if (message->kind == MESSAGE_RELATION)
        check_relation(&message->u.relation);
    if (message->kind == MESSAGE_LOGICAL) {
        check_inside(message->u.logical.prefix);
        check_inside(message->u.logical.content);
    }
    for (uint32_t i = 0; message->kind == MESSAGE_TRUNCATE && i < message->u.truncate.relation_count; i++)
        assert(message->u.truncate.relation_oids[i] != 0);
}

/* A message is exactly as long as it is: one byte less is none. */
static void check_shorter(struct pgoutput_decoder *decoder, struct slice bytes)
{
    struct message message;
    struct err err;
    bytes.len--;
    assert(!pgoutput_decode(decoder, bytes, &message, &err));
    assert(err.code == ERR_PROTOCOL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message_input input;
    message_input_init(&input, data, size);
    struct pgoutput_decoder *decoder = pgoutput_decoder_new(input.version, input.parallel);
    while (message_input_next(&input)) {
        struct message message;
        struct err err = {.code = ERR_NONE};
        input_bytes = input.bytes;
        if (!pgoutput_decode(decoder, input.bytes, &message, &err)) {
            assert(err.code == ERR_PROTOCOL && err.text[0] != '\0');
            continue;
        }
        assert(err.code == ERR_NONE);
        check_message(&message);
        check_shorter(decoder, input.bytes);
    }
    pgoutput_decoder_free(decoder);
    return 0;
}
