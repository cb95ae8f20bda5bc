#include "walferry/version.h"

#include <libpq-fe.h>
#include <librdkafka/rdkafka.h>
#include <microhttpd.h>
#include <sqlite3.h>
#include <uv.h>
#include <yyjson.h>

#include "version_git.h"

const char *version_number(void)
{
    return WALFERRY_VERSION;
}

const char *version_description(void)
{
    return WALFERRY_GIT_DESCRIPTION;
}

void version_print(FILE *out, const char *program)
{
    unsigned libpq = (unsigned)PQlibVersion(); /* 150020 is 15.20 */
    unsigned yyjson = yyjson_version();        /* 0xMMmmpp */
    unsigned rdkafka = RD_KAFKA_VERSION;       /* 0xMMmmppff */

    fprintf(out, "%s %s (%s)\n", program, version_number(), version_description());
    fprintf(out, "libpq %u.%u, libuv %s, SQLite %s, libmicrohttpd %s, yyjson %u.%u.%u, librdkafka %u.%u.%u\n",
            libpq / 10000, libpq % 10000, uv_version_string(), sqlite3_libversion(), MHD_get_version(),
            yyjson >> 16, yyjson >> 8 & 0xff, yyjson & 0xff, rdkafka >> 24, rdkafka >> 16 & 0xff,
            rdkafka >> 8 & 0xff);
}
