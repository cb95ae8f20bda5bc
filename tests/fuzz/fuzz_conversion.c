/* PostgreSQL's text of any type in any mode: the first bytes choose the type, the typmod and the modes, the
 * rest is the text. What a converter accepts must be one JSON value. */
#include "walferry/conversion.h"
#include "walferry/pgtype.h"

#include <stdlib.h>
#include <yyjson.h>

static const uint32_t types[] = {PGTYPE_BOOL,
                                 PGTYPE_INT4,
                                 PGTYPE_FLOAT4,
                                 PGTYPE_FLOAT8,
                                 PGTYPE_NUMERIC,
                                 PGTYPE_MONEY,
                                 PGTYPE_TEXT,
                                 PGTYPE_BYTEA,
                                 PGTYPE_BIT,
                                 PGTYPE_VARBIT,
                                 PGTYPE_DATE,
                                 PGTYPE_TIME,
                                 PGTYPE_TIMETZ,
                                 PGTYPE_TIMESTAMP,
                                 PGTYPE_TIMESTAMPTZ,
                                 PGTYPE_JSON,
                                 PGTYPE_INTERVAL,
                                 1007,
                                 1009,
                                 1183,
                                 1231,
                                 1001};

static int32_t typmod_of(uint32_t oid, uint8_t byte)
{
    static const int32_t numerics[] = {-1, ((10 << 16) | 2) + 4, ((5 << 16) | 2046) + 4,
                                       ((1000 << 16) | 500) + 4};
    return oid == PGTYPE_NUMERIC ? numerics[byte % 4] : byte % 8 - 1;
}

static void check(const struct buf *out, enum converted converted)
{
    if (converted == CONVERTED_BAD || out->overflowed)
        return;
    yyjson_doc *doc =
        yyjson_read(out->data, out->len, YYJSON_READ_NUMBER_AS_RAW | YYJSON_READ_ALLOW_INVALID_UNICODE);
    if (doc == NULL)
        abort();
    yyjson_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    uint32_t oid = types[data[0] % (sizeof(types) / sizeof(types[0]))];
    const struct column column = {.type_oid = oid, .base_oid = oid, .typmod = typmod_of(oid, data[1])};
    const struct type_modes modes = {.decimal = (enum decimal_mode)(data[2] % 3),
                                     .time = (enum time_mode)(data[2] / 3 % 6),
                                     .binary = (enum binary_mode)(data[2] % 4),
                                     .interval = (enum interval_mode)(data[2] % 2)};
    struct conversion conversion;
    struct buf out;
    if (!conversion_resolve(&conversion, &column, &modes))
        abort();
    /* The exact room that the contract promises, so that a converter that takes more is seen. */
    buf_init(&out, (size_t)1 << 20);
    if (buf_reserve(&out, size - 3 + CONVERT_ROOM) != NULL)
        check(&out, conversion.convert(&out, (struct slice){(const char *)data + 3, size - 3}, &conversion));
    buf_release(&out);
    return 0;
}
