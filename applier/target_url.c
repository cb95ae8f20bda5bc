#include "target_url.h"

#include "walferry/buf.h"
#include "walferry/log.h"

#include <stdlib.h>
#include <string.h>

#define JDBC_PREFIX "jdbc:postgresql:"
#define URL_BYTES_MAX 8192

/* pgjdbc's name → libpq's; equal names pass. `value`: what the parameter has to say for it to count. */
static const struct {
    const char *jdbc, *value, *libpq;
} parameters[] = {
    {"user", NULL, "user"},
    {"password", NULL, "password"},
    {"sslmode", NULL, "sslmode"},
    {"sslcert", NULL, "sslcert"},
    {"sslkey", NULL, "sslkey"},
    {"sslrootcert", NULL, "sslrootcert"},
    {"options", NULL, "options"},
    {"ApplicationName", NULL, "application_name"},
    {"ssl", "true", "sslmode=verify-full"},
    {"targetServerType", "primary", "target_session_attrs=read-write"},
};

static bool append_known(struct buf *out, struct slice name, struct slice value, bool first)
{
    for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
        if (!slice_equal(name, slice_of(parameters[i].jdbc)))
            continue;
        if (parameters[i].value != NULL && !slice_equal(value, slice_of(parameters[i].value)))
            return false;
        buf_append_char(out, first ? '?' : '&');
        buf_append_text(out, parameters[i].libpq);
        if (parameters[i].value == NULL) {
            buf_append_char(out, '=');
            buf_append_slice(out, value);
        }
        return true;
    }
    return false;
}

static void translate_parameters(struct buf *out, const char *at)
{
    bool first = true;
    while (*at != '\0') {
        size_t len = strcspn(at, "&");
        const char *equals = memchr(at, '=', len);
        size_t name_len = equals != NULL ? (size_t)(equals - at) : len;
        struct slice name = {at, name_len};
        struct slice value = equals != NULL ? (struct slice){equals + 1, len - name_len - 1} : SLICE_NONE;
        if (append_known(out, name, value, first))
            first = false;
        else if (len > 0)
            log_warn("config", "connection.url: parameter has no meaning for libpq, left out",
                     LOG_SLICE("parameter", name));
        at += len;
        at += *at == '&';
    }
}

static char *copy_of(struct buf *text)
{
    char *copy = strdup(buf_text(text));
    if (copy == NULL)
        abort();
    return copy;
}

/* jdbc:postgresql://host:port/db?…, and the short forms jdbc:postgresql:db and jdbc:postgresql:/db. */
static bool read_jdbc(const char *rest, char **uri, struct err *err)
{
    struct buf out;
    size_t base = strcspn(rest, "?");
    buf_init(&out, URL_BYTES_MAX);
    buf_append_text(&out, "postgresql:");
    if (strncmp(rest, "//", 2) != 0)
        buf_append_text(&out, rest[0] == '/' ? "//localhost" : "//localhost/");
    buf_append(&out, rest, base);
    if (rest[base] == '?')
        translate_parameters(&out, rest + base + 1);
    bool ok = !out.overflowed;
    if (ok)
        *uri = copy_of(&out);
    else
        (void)err_set(err, ERR_CONFIG, "connection.url is longer than %d bytes", URL_BYTES_MAX);
    buf_release(&out);
    return ok;
}

bool target_url_read(const char *url, char **uri, struct err *err)
{
    if (strncmp(url, JDBC_PREFIX, strlen(JDBC_PREFIX)) == 0)
        return read_jdbc(url + strlen(JDBC_PREFIX), uri, err);
    if (strncmp(url, "postgresql://", 13) != 0 && strncmp(url, "postgres://", 11) != 0 &&
        strchr(url, '=') == NULL)
        return err_set(
            err, ERR_CONFIG,
            "connection.url: allowed are jdbc:postgresql://HOST:PORT/DB, postgresql://HOST:PORT/DB "
            "and libpq's key=value form");
    *uri = strdup(url);
    if (*uri == NULL)
        abort();
    return true;
}
