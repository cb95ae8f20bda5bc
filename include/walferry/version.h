/* version: what was built, and what it runs with.
 *
 * The number comes from CMakeLists.txt, the description from git (or, in a tarball, from the file VERSION).
 * Libraries are asked at run time; librdkafka, which not every program loads, is named as it was compiled
 * against.
 *
 *     $ walferry-streamer --version
 *     walferry-streamer 0.1.0 (v0.1.0-3-g6ce7b32)
 *     libpq 15.20, libuv 1.44.2, SQLite 3.40.1, libmicrohttpd 0.9.75, yyjson 0.10.0, librdkafka 2.8.0
 */
#ifndef WALFERRY_VERSION_H
#define WALFERRY_VERSION_H

#include <stdio.h>

/* The number alone, "0.1.0", and the git description, "v0.1.0-3-g6ce7b32" or "unknown". */
const char *version_number(void);
const char *version_description(void);

/* What --version prints: both lines. */
void version_print(FILE *out, const char *program);

#endif
