#include "http_listeners.h"

#include "walferry/http.h"
#include "walferry/slice.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* http://HOST:PORT, HOST empty (every address), a name, an IPv4 address or an IPv6 one in brackets. */
struct address {
    char host[256];
    char port[6];
};

static struct slice trimmed(struct slice text)
{
    while (text.len > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = (struct slice){text.data + 1, text.len - 1};
    while (text.len > 0 && (text.data[text.len - 1] == ' ' || text.data[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static bool starts_with(struct slice text, const char *prefix)
{
    return text.len >= strlen(prefix) && strncasecmp(text.data, prefix, strlen(prefix)) == 0;
}

static const char *last_colon(struct slice text)
{
    while (text.len > 0 && text.data[text.len - 1] != ':')
        text.len--;
    return text.len > 0 ? text.data + text.len - 1 : NULL;
}

static bool port_is_valid(struct slice port)
{
    unsigned long value = 0;
    for (size_t i = 0; i < port.len; i++) {
        if (port.data[i] < '0' || port.data[i] > '9' || i >= 5)
            return false;
        value = value * 10 + (unsigned long)(port.data[i] - '0');
    }
    return port.len > 0 && value <= 65535;
}

static bool parse(struct slice text, struct address *address, struct err *err)
{
    if (starts_with(text, "https://"))
        return err_set(err, ERR_CONFIG,
                       "listeners=" SLICE_FMT
                       ": https is not served, allowed http://HOST:PORT; put a TLS proxy "
                       "before it",
                       SLICE_ARG(text));
    struct slice rest = {text.data + 7, text.len > 7 ? text.len - 7 : 0};
    if (!starts_with(text, "http://"))
        rest = (struct slice){"", 0};
    if (rest.len > 0 && rest.data[rest.len - 1] == '/')
        rest.len--;
    const char *colon = last_colon(rest);
    struct slice host = {rest.data, colon != NULL ? (size_t)(colon - rest.data) : 0};
    struct slice port = {colon != NULL ? colon + 1 : "", colon != NULL ? rest.len - host.len - 1 : 0};
    if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
        host = (struct slice){host.data + 1, host.len - 2};
    else if (host.len > 0 && memchr(host.data, ':', host.len) != NULL)
        port.len = 0; /* an IPv6 address without its brackets */
    if (!port_is_valid(port) || host.len >= sizeof(address->host))
        return err_set(err, ERR_CONFIG, "listeners=" SLICE_FMT ": allowed http://HOST:PORT, port 0 to 65535",
                       SLICE_ARG(text));
    (void)snprintf(address->host, sizeof(address->host), SLICE_FMT, SLICE_ARG(host));
    (void)snprintf(address->port, sizeof(address->port), SLICE_FMT, SLICE_ARG(port));
    return true;
}

static int listen_on(const struct addrinfo *info)
{
    const int on = 1;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int reason = errno;
    (void)close(fd);
    errno = reason;
    return -1;
}

static bool open_one(struct http_listeners *listeners, struct slice text, struct err *err)
{
    struct address address;
    if (!parse(text, &address, err))
        return false;
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failed = getaddrinfo(address.host[0] != '\0' ? address.host : NULL, address.port, &hints, &found);
    if (failed != 0)
        return err_set(err, ERR_CONFIG,
                       "listeners=" SLICE_FMT ": the host has no address (%s); name one of this machine",
                       SLICE_ARG(text), gai_strerror(failed));
    int fd = -1;
    for (const struct addrinfo *info = found; info != NULL && fd < 0; info = info->ai_next)
        fd = listen_on(info);
    int reason = errno;
    freeaddrinfo(found);
    if (fd < 0)
        return err_set(err, ERR_CONFIG,
                       "listeners=" SLICE_FMT ": cannot listen there: %s; choose a free address",
                       SLICE_ARG(text), strerror(reason));
    listeners->fds[listeners->count++] = fd;
    return true;
}

static void close_all(struct http_listeners *listeners)
{
    while (listeners->count > 0)
        (void)close(listeners->fds[--listeners->count]);
}

bool http_listeners_valid(const char *text)
{
    struct slice rest = trimmed(slice_of(text));
    for (size_t count = 0; rest.len > 0; count++) {
        struct address address;
        struct err err;
        const char *comma = memchr(rest.data, ',', rest.len);
        size_t len = comma != NULL ? (size_t)(comma - rest.data) : rest.len;
        if (count == HTTP_LISTENERS_MAX || !parse(trimmed((struct slice){rest.data, len}), &address, &err))
            return false;
        rest = comma != NULL ? (struct slice){comma + 1, rest.len - len - 1} : SLICE_NONE;
    }
    return true;
}

bool http_listeners_open(struct http_listeners *listeners, const char *text, struct err *err)
{
    *listeners = (struct http_listeners){0};
    struct slice rest = trimmed(slice_of(text));
    while (rest.len > 0) {
        const char *comma = memchr(rest.data, ',', rest.len);
        size_t len = comma != NULL ? (size_t)(comma - rest.data) : rest.len;
        bool ok = listeners->count < HTTP_LISTENERS_MAX;
        if (!ok)
            (void)err_set(err, ERR_CONFIG, "listeners: allowed up to %d addresses", HTTP_LISTENERS_MAX);
        if (!ok || !open_one(listeners, trimmed((struct slice){rest.data, len}), err)) {
            close_all(listeners);
            return false;
        }
        rest = comma != NULL ? (struct slice){comma + 1, rest.len - len - 1} : SLICE_NONE;
    }
    return true;
}
