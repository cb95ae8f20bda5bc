/* http_listeners: Connect's `listeners` text as listening sockets. */
#ifndef WALFERRY_HTTP_LISTENERS_H
#define WALFERRY_HTTP_LISTENERS_H

#include "walferry/err.h"

#include <stddef.h>

#define HTTP_LISTENERS_MAX 8

struct http_listeners {
    int fds[HTTP_LISTENERS_MAX]; /* bound and listening, non-blocking */
    size_t count;
};

/* "" opens none. On false nothing stays open. */
MUST_CHECK bool http_listeners_open(struct http_listeners *listeners, const char *text, struct err *err);

#endif
