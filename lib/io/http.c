#include "walferry/http.h"

#include "http_listeners.h"

#include "walferry/log.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The named limits of the server. */
#define REQUEST_HEAD_BYTES_MAX (16 * 1024) /* request line and headers; a body is never read */
#define REPLY_BODY_BYTES_MAX (16 * 1024 * 1024)
#define CONNECTIONS_MAX 64u
#define IDLE_SECONDS_MAX 10u

static const char text_plain[] = "text/plain; charset=utf-8";

/* One per address: the daemon's epoll descriptor is watched, its timeouts are a timer. */
struct listener {
    struct http_server *server;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer;
};

struct http_server {
    const struct http_route *routes;
    void *data;
    unsigned port;
    size_t count;
    size_t open_handles; /* closed ones are counted down; the memory goes with the last */
    struct listener listeners[HTTP_LISTENERS_MAX];
};

static enum MHD_Result send_reply(struct MHD_Connection *connection, struct http_reply *reply,
                                  const char *allow)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->body.len, reply->body.data, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result sent =
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type);
    if (allow != NULL && sent == MHD_YES)
        sent = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
    if (sent == MHD_YES)
        sent = MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return sent;
}

static void run_handler(const struct http_server *server, const struct http_route *route,
                        struct http_reply *reply)
{
    route->handle(server->data, reply);
    if (!reply->body.overflowed)
        return;
    buf_clear(&reply->body);
    reply->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
    reply->content_type = text_plain;
    buf_printf(&reply->body, "the reply is longer than %d bytes\n", REPLY_BODY_BYTES_MAX);
}

/* HEAD is served where GET is; libmicrohttpd leaves the body out itself. */
static bool method_matches(const char *route_method, const char *method)
{
    return strcmp(route_method, method) == 0 ||
           (strcmp(route_method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* No route takes a body: a request that announces one is answered at once, and libmicrohttpd closes the
 * connection unread. Others are answered at their end, which keeps the connection. */
static bool has_body(struct MHD_Connection *connection)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH) != NULL ||
           MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING) !=
               NULL;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are libmicrohttpd's */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **request)
{
    const struct http_server *server = data;
    const struct http_route *route = server->routes;
    const char *allow = NULL;
    (void)version, (void)upload, (void)upload_len;

    if (*request == NULL && !has_body(connection)) {
        *request = connection; /* called again at the end of the request */
        return MHD_YES;
    }
    for (; route->path != NULL; route++) {
        if (strcmp(route->path, url) != 0)
            continue;
        if (method_matches(route->method, method))
            break;
        allow = strcmp(route->method, "GET") == 0 ? "GET, HEAD" : route->method;
    }
    struct http_reply reply = {.status = MHD_HTTP_OK, .content_type = text_plain};
    buf_init(&reply.body, REPLY_BODY_BYTES_MAX);
    if (route->path != NULL) {
        run_handler(server, route, &reply);
        allow = NULL;
    } else if (allow != NULL) {
        reply.status = MHD_HTTP_METHOD_NOT_ALLOWED;
        buf_printf(&reply.body, "method not allowed here; allowed: %s\n", allow);
    } else {
        reply.status = MHD_HTTP_NOT_FOUND;
        buf_append_text(&reply.body, "not found\n");
    }
    enum MHD_Result sent = send_reply(connection, &reply, allow);
    buf_release(&reply.body);
    return sent;
}

static void on_library_log(void *data, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void on_library_log(void *data, const char *format, va_list args)
{
    char text[256];
    (void)data;
    int len = vsnprintf(text, sizeof(text), format, args);
    size_t end = len < 0 ? 0 : strnlen(text, sizeof(text));
    while (end > 0 && text[end - 1] == '\n')
        end--;
    log_debug("http", "library", LOG_SLICE("text", ((struct slice){text, end})));
}

static void on_timeout(uv_timer_t *timer);

/* Lets the daemon work, then asks it when it wants to work again although no socket moves. */
static void run(struct listener *listener)
{
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    (void)MHD_run(listener->daemon);
    if (MHD_get_timeout(listener->daemon, &timeout_ms) == MHD_YES)
        (void)uv_timer_start(&listener->timer, on_timeout, timeout_ms, 0);
    else
        (void)uv_timer_stop(&listener->timer);
}

static void on_timeout(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    run(poll->data);
}

static bool start_daemon(struct listener *listener, int fd, struct err *err)
{
    listener->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, listener->server,
        MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_HEAD_BYTES_MAX, MHD_OPTION_END);
    if (listener->daemon == NULL) {
        (void)close(fd);
        return err_set(err, ERR_SYSTEM, "the HTTP server cannot start: %s", strerror(errno));
    }
    return true;
}

static void watch(struct listener *listener, uv_loop_t *uv)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    assert(info != NULL);
    int failed = uv_poll_init(uv, &listener->poll, info->epoll_fd);
    assert(failed == 0);
    failed = uv_timer_init(uv, &listener->timer);
    assert(failed == 0);
    listener->poll.data = listener->timer.data = listener;
    listener->server->open_handles += 2;
    failed = uv_poll_start(&listener->poll, UV_READABLE, on_readable);
    assert(failed == 0);
}

static unsigned port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return 0;
    const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address;
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address;
    return ntohs(address.ss_family == AF_INET6 ? ipv6->sin6_port : ipv4->sin_port);
}

bool http_start(uv_loop_t *uv, const char *listeners, const struct http_route *routes, void *data,
                struct http_server **server, struct err *err)
{
    struct http_listeners open;
    *server = NULL;
    if (!http_listeners_open(&open, listeners, err))
        return false;
    if (open.count == 0)
        return true;
    struct http_server *made = calloc(1, sizeof(*made));
    if (made == NULL)
        abort();
    made->routes = routes;
    made->data = data;
    made->port = port_of(open.fds[0]);
    for (size_t i = 0; i < open.count; i++) {
        struct listener *listener = &made->listeners[i];
        listener->server = made;
        if (!start_daemon(listener, open.fds[i], err)) {
            while (++i < open.count)
                (void)close(open.fds[i]);
            http_stop(made);
            return false;
        }
        made->count++;
        watch(listener, uv);
    }
    *server = made;
    log_info("http", "listening", LOG_STR("listeners", listeners), LOG_INT("port", made->port));
    return true;
}

unsigned http_port(const struct http_server *server)
{
    return server != NULL ? server->port : 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    if (--listener->server->open_handles == 0)
        free(listener->server);
}

void http_stop(struct http_server *server)
{
    if (server == NULL)
        return;
    if (server->count == 0) { /* nothing was started, so nothing closes later */
        free(server);
        return;
    }
    for (size_t i = 0; i < server->count; i++) {
        struct listener *listener = &server->listeners[i];
        /* First off the loop: the daemon closes the descriptor. */
        uv_close((uv_handle_t *)&listener->poll, on_closed);
        uv_close((uv_handle_t *)&listener->timer, on_closed);
        MHD_stop_daemon(listener->daemon);
    }
}
