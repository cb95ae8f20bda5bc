/* md5: RFC 1321, only for Java's name-based UUIDs; not for anything that must be safe. */
#ifndef WALFERRY_MD5_H
#define WALFERRY_MD5_H

#include "walferry/slice.h"

#include <stdint.h>

#define MD5_BYTES 16

void md5(struct slice bytes, uint8_t digest[MD5_BYTES]);

#endif
