/* http: the small HTTP server of both programs (libmicrohttpd, polled by the loop, no thread of its own).
 *
 * Routes are a table; handlers run on the loop and write text into a buf.
 */
#ifndef WALFERRY_HTTP_H
#define WALFERRY_HTTP_H

#include "walferry/buf.h"
#include "walferry/err.h"

#include <uv.h>

struct http_reply {
    unsigned status;          /* 200 at entry */
    const char *content_type; /* "text/plain; charset=utf-8" at entry */
    struct buf body;
};

struct http_route {
    const char *method; /* "GET" */
    const char *path;   /* "/metrics" */
    void (*handle)(void *data, struct http_reply *reply);
};

struct http_server;

/* `listeners`: Connect's, e.g. "http://127.0.0.1:8083"; port 0 takes a free one; "" = no server. `routes`
 * ends with path == NULL. ERR_CONFIG where the address cannot be had. */
MUST_CHECK bool http_start(uv_loop_t *uv, const char *listeners, const struct http_route *routes, void *data,
                           struct http_server **server, struct err *err);
/* Pure: could `listeners` be listened on somewhere? */
bool http_listeners_valid(const char *listeners);
unsigned http_port(const struct http_server *server);
void http_stop(struct http_server *server);

#endif
