#include "walferry/http.h"

#include "capture.h"
#include "cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    uv_loop_t uv;
    struct http_server *server;
    int calls;
};

/* A client on the server's own loop: sends one request, takes bytes until the server closes. */
struct client {
    uv_poll_t poll;
    int fd;
    bool closed;
    struct buf reply;
};

static void count_call(void *data, struct http_reply *reply)
{
    struct fixture *fixture = data;
    fixture->calls++;
    buf_append_text(&reply->body, "hello\n");
}

static void unavailable(void *data, struct http_reply *reply)
{
    (void)data;
    reply->status = 503;
    reply->content_type = "application/json";
    buf_append_text(&reply->body, "{\"state\":\"snapshot\"}");
}

static void large(void *data, struct http_reply *reply)
{
    (void)data;
    for (int i = 0; i < 1 << 16; i++)
        buf_append_text(&reply->body, "0123456789abcde\n");
}

static void too_large(void *data, struct http_reply *reply)
{
    (void)data;
    for (int i = 0; i < 17; i++)
        large(NULL, reply);
}

static const struct http_route routes[] = {
    {"GET", "/hello", count_call}, {"GET", "/state", unavailable},     {"GET", "/large", large},
    {"GET", "/huge", too_large},   {"POST", "/only-post", count_call}, {NULL, NULL, NULL},
};

static void on_client_readable(uv_poll_t *poll, int status, int events)
{
    struct client *client = poll->data;
    char chunk[65536];
    (void)events;
    ssize_t len;
    while ((len = recv(client->fd, chunk, sizeof(chunk), MSG_DONTWAIT)) > 0)
        buf_append(&client->reply, chunk, (size_t)len);
    client->closed = status < 0 || len == 0 || errno != EAGAIN; /* after an error libuv polls no more */
}

static void client_start(struct client *client, struct fixture *fixture, const char *request, size_t len)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)http_port(fixture->server))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *client = (struct client){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    buf_init(&client->reply, 64 << 20);
    assert_int_equal(connect(client->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(send(client->fd, request, len, MSG_NOSIGNAL), len);
    assert_int_equal(uv_poll_init(&fixture->uv, &client->poll, client->fd), 0);
    client->poll.data = client;
    assert_int_equal(uv_poll_start(&client->poll, UV_READABLE | UV_DISCONNECT, on_client_readable), 0);
}

static void client_stop(struct client *client, struct fixture *fixture)
{
    uv_close((uv_handle_t *)&client->poll, NULL);
    (void)uv_run(&fixture->uv, UV_RUN_NOWAIT);
    (void)close(client->fd);
    buf_release(&client->reply);
}

/* The whole reply to `request`; the caller frees it. */
static char *exchange(struct fixture *fixture, const char *request)
{
    struct client client;
    client_start(&client, fixture, request, strlen(request));
    while (!client.closed)
        (void)uv_run(&fixture->uv, UV_RUN_ONCE);
    char *reply = strdup(buf_text(&client.reply));
    client_stop(&client, fixture);
    return reply;
}

static void start(struct fixture *fixture, const char *listeners)
{
    struct err err;
    struct capture capture;
    capture_start(&capture);
    bool ok = http_start(&fixture->uv, listeners, routes, fixture, &fixture->server, &err);
    (void)capture_stop(&capture);
    assert_true(ok);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_int_equal(uv_loop_init(&fixture->uv), 0);
    start(fixture, "http://127.0.0.1:0");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    http_stop(fixture->server);
    while (uv_run(&fixture->uv, UV_RUN_DEFAULT) != 0)
        ;
    assert_int_equal(uv_loop_close(&fixture->uv), 0);
    free(fixture);
    return 0;
}

static const struct {
    const char *request;
    const char *status_line;
    const char *header; /* must be in the reply */
    const char *body;   /* the whole body */
    int calls;
} cases[] = {
    {"GET /hello HTTP/1.1", "HTTP/1.1 200 OK\r\n", "Content-Type: text/plain; charset=utf-8\r\n", "hello\n",
     1},
    {"GET /hello?x=1 HTTP/1.1", "HTTP/1.1 200 OK\r\n", "Content-Length: 6\r\n", "hello\n", 1},
    {"HEAD /hello HTTP/1.1", "HTTP/1.1 200 OK\r\n", "Content-Length: 6\r\n", "", 1},
    {"GET /state HTTP/1.1", "HTTP/1.1 503 ", "Content-Type: application/json\r\n", "{\"state\":\"snapshot\"}",
     0},
    {"GET /nothing HTTP/1.1", "HTTP/1.1 404 ", "", "not found\n", 0},
    {"GET / HTTP/1.1", "HTTP/1.1 404 ", "", "not found\n", 0},
    {"GET /hello/ HTTP/1.1", "HTTP/1.1 404 ", "", "not found\n", 0},
    {"POST /hello HTTP/1.1", "HTTP/1.1 405 ", "Allow: GET, HEAD\r\n",
     "method not allowed here; allowed: GET, HEAD\n", 0},
    {"GET /only-post HTTP/1.1", "HTTP/1.1 405 ", "Allow: POST\r\n",
     "method not allowed here; allowed: POST\n", 0},
    {"HEAD /only-post HTTP/1.1", "HTTP/1.1 405 ", "Allow: POST\r\n", "", 0},
    {"GET /huge HTTP/1.1", "HTTP/1.1 500 ", "", "the reply is longer than 16777216 bytes\n", 0},
};

static void answers_by_its_routes(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char request[256];
        (void)snprintf(request, sizeof(request), "%s\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                       cases[i].request);
        fixture->calls = 0;
        char *reply = exchange(fixture, request);
        assert_memory_equal(reply, cases[i].status_line, strlen(cases[i].status_line));
        assert_non_null(strstr(reply, cases[i].header));
        assert_string_equal(strstr(reply, "\r\n\r\n") + 4, cases[i].body);
        assert_int_equal(fixture->calls, cases[i].calls);
        free(reply);
    }
}

/* More than the socket takes at once: the rest follows as the client reads. */
static void sends_a_large_reply_whole(void **state)
{
    struct fixture *fixture = *state;
    char *reply = exchange(fixture, "GET /large HTTP/1.0\r\n\r\n");
    const char *body = strstr(reply, "\r\n\r\n") + 4;
    assert_int_equal(strlen(body), 1 << 20);
    assert_string_equal(body + (1 << 20) - 16, "0123456789abcde\n");
    free(reply);
}

static void serves_two_requests_of_one_connection(void **state)
{
    struct fixture *fixture = *state;
    char *reply = exchange(fixture, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"
                                    "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_int_equal(fixture->calls, 2);
    free(reply);
}

/* A request that arrives byte by byte, and one that never ends, do not hold others up. */
static void slow_clients_do_not_block_others(void **state)
{
    struct fixture *fixture = *state;
    static const char request[] = "GET /hello HTTP/1.0\r\n\r\n";
    struct client slow, stuck;
    client_start(&stuck, fixture, "GET /hel", 8);
    client_start(&slow, fixture, request, 1);
    for (size_t i = 1; i < sizeof(request) - 1; i++) {
        char *reply = exchange(fixture, "GET /state HTTP/1.0\r\n\r\n");
        assert_non_null(strstr(reply, " 503 "));
        free(reply);
        assert_int_equal(send(slow.fd, request + i, 1, MSG_NOSIGNAL), 1);
    }
    while (!slow.closed)
        (void)uv_run(&fixture->uv, UV_RUN_ONCE);
    assert_non_null(strstr(buf_text(&slow.reply), "hello\n"));
    assert_false(stuck.closed);
    client_stop(&slow, fixture);
    client_stop(&stuck, fixture);
}

static void refuses_a_head_above_the_limit(void **state)
{
    struct fixture *fixture = *state;
    static char request[40 * 1024];
    memset(request, 'a', sizeof(request) - 1);
    memcpy(request, "GET /hello?", 11);
    struct client client;
    client_start(&client, fixture, request, sizeof(request) - 1);
    while (!client.closed)
        (void)uv_run(&fixture->uv, UV_RUN_ONCE);
    assert_int_equal(fixture->calls, 0);
    assert_null(strstr(buf_text(&client.reply), " 200 "));
    client_stop(&client, fixture);
}

static void a_body_is_never_read(void **state)
{
    struct fixture *fixture = *state;
    char *reply =
        exchange(fixture, "POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\nabc");
    assert_memory_equal(reply, "HTTP/1.1 405 ", 13);
    free(reply);
}

static void stopping_closes_open_connections(void **state)
{
    struct fixture *fixture = *state;
    struct client client;
    client_start(&client, fixture, "GET /hel", 8);
    (void)uv_run(&fixture->uv, UV_RUN_NOWAIT);
    http_stop(fixture->server);
    fixture->server = NULL;
    while (!client.closed)
        (void)uv_run(&fixture->uv, UV_RUN_ONCE);
    client_stop(&client, fixture);
}

static void serves_every_listener(void **state)
{
    struct fixture *fixture = *state;
    http_stop(fixture->server);
    start(fixture, " http://localhost:0/ , HTTP://127.0.0.1:0");
    assert_true(http_port(fixture->server) > 0);
}

static void no_listener_is_no_server(void **state)
{
    (void)state;
    struct fixture fixture = {0};
    struct err err;
    assert_true(http_start(&fixture.uv, "", routes, NULL, &fixture.server, &err));
    assert_null(fixture.server);
    assert_int_equal(http_port(NULL), 0);
    http_stop(NULL);
}

static void says_what_is_wrong_with_listeners(void **state)
{
    struct fixture *fixture = *state;
    char taken[128], taken_text[256];
    (void)snprintf(taken, sizeof(taken), "http://127.0.0.1:%u", http_port(fixture->server));
    (void)snprintf(taken_text, sizeof(taken_text),
                   "listeners=%s: cannot listen there: Address already in use", taken);
    const struct {
        const char *listeners, *text;
    } bad[] = {
        {"https://127.0.0.1:0", "listeners=https://127.0.0.1:0: https is not served"},
        {"http://127.0.0.1:0,HTTPS://h:1", "listeners=HTTPS://h:1: https is not served"},
        {"127.0.0.1:8083", "allowed http://HOST:PORT"},
        {"http://127.0.0.1", "allowed http://HOST:PORT"},
        {"http://127.0.0.1:", "allowed http://HOST:PORT"},
        {"http://127.0.0.1:65536", "allowed http://HOST:PORT"},
        {"http://127.0.0.1:80x", "allowed http://HOST:PORT"},
        {"http://::1:8083", "allowed http://HOST:PORT"},
        {"http://", "allowed http://HOST:PORT"},
        {"http:", "allowed http://HOST:PORT"},
        {"http://127.0.0.1:0,,", "allowed http://HOST:PORT"},
        {"http://127.0.0.1:0,http://127.0.0.1:0,http://127.0.0.1:0,http://127.0.0.1:0,http://127.0.0.1:0,"
         "http://127.0.0.1:0,http://127.0.0.1:0,http://127.0.0.1:0,http://127.0.0.1:0",
         "allowed up to 8"},
        {taken, taken_text},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct http_server *server;
        struct err err;
        assert_false(http_start(&fixture->uv, bad[i].listeners, routes, NULL, &server, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.text, bad[i].text));
        assert_null(server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_by_its_routes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sends_a_large_reply_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(serves_two_requests_of_one_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(slow_clients_do_not_block_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_a_head_above_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_body_is_never_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stopping_closes_open_connections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(serves_every_listener, set_up, tear_down),
        cmocka_unit_test(no_listener_is_no_server),
        cmocka_unit_test_setup_teardown(says_what_is_wrong_with_listeners, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
