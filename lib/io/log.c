#include "walferry/log.h"

#include "walferry/buf.h"
#include "walferry/clock.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* A write(2) of up to PIPE_BUF bytes to a pipe is atomic, so lines of two processes never interleave: a line
 * never gets longer. TAIL leaves room for the mark of a cut line and its end. */
#define LINE_BYTES_MAX PIPE_BUF
#define TAIL_BYTES 32
#define VALUE_BYTES_MAX 1024

/* Set once at start, before a second thread (librdkafka's) can log. */
static enum log_level min_level = LOG_INFO;
static enum log_format line_format = LOG_LOGFMT;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_set(enum log_level level, enum log_format format)
{
    min_level = level;
    line_format = format;
}

/* The bytes of the UTF-8 character at `at`, or 0 where there is none. */
static size_t utf8_len(struct slice text, size_t at)
{
    static const unsigned char smallest_second[] = {[0xE0 - 0xC0] = 0xA0, [0xF0 - 0xC0] = 0x90};
    static const unsigned char largest_second[] = {[0xED - 0xC0] = 0x9F, [0xF4 - 0xC0] = 0x8F};
    const unsigned char *bytes = (const unsigned char *)text.data + at;
    unsigned char lead = bytes[0];
    if (lead < 0x80)
        return 1;
    size_t len = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || len > text.len - at)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    }
    size_t row = (size_t)(lead - 0xC0);
    bool too_small = row < sizeof(smallest_second) && bytes[1] < smallest_second[row];
    bool too_large =
        row < sizeof(largest_second) && largest_second[row] != 0 && bytes[1] > largest_second[row];
    return too_small || too_large ? 0 : len;
}

static void append_control(struct buf *out, unsigned char byte)
{
    if (byte == '\n')
        buf_append_text(out, "\\n");
    else if (byte == '\t')
        buf_append_text(out, "\\t");
    else if (byte == '\r')
        buf_append_text(out, "\\r");
    else
        buf_printf(out, "\\u%04x", byte);
}

/* JSON's string; logfmt quotes in the same way. Bytes that are no UTF-8 become U+FFFD: a line is always one
 * that a log collector can read. */
static void append_quoted(struct buf *out, struct slice text)
{
    size_t end = text.len < VALUE_BYTES_MAX ? text.len : VALUE_BYTES_MAX;
    buf_append_char(out, '"');
    for (size_t at = 0; at < end;) {
        unsigned char byte = (unsigned char)text.data[at];
        size_t len = utf8_len(text, at);
        if (byte < 0x20 || byte == 0x7F) {
            append_control(out, byte);
        } else if (len == 0) {
            buf_append_text(out, "\\ufffd");
        } else {
            if (byte == '"' || byte == '\\')
                buf_append_char(out, '\\');
            buf_append(out, text.data + at, len);
        }
        at += len > 0 ? len : 1;
    }
    buf_append_text(out, end < text.len ? "…\"" : "\"");
}

/* A bare logfmt value: printable ASCII without space, quote, backslash and equals sign. */
static bool is_bare(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '=')
            return false;
    }
    return text.len > 0 && text.len <= VALUE_BYTES_MAX;
}

static void append_key(struct buf *out, const char *key)
{
    bool first = out->len == 0;
    if (line_format == LOG_JSON)
        buf_printf(out, "%c\"%s\":", first ? '{' : ',', key);
    else
        buf_printf(out, "%s%s=", first ? "" : " ", key);
}

static void append_string(struct buf *out, const char *key, struct slice text)
{
    append_key(out, key);
    if (line_format == LOG_LOGFMT && is_bare(text))
        buf_append_slice(out, text);
    else
        append_quoted(out, text);
}

static void append_float(struct buf *out, const char *key, double value)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%.6g", value);
    if (!isfinite(value)) { /* JSON has no number for it */
        append_string(out, key, (struct slice){text, (size_t)len});
        return;
    }
    append_key(out, key);
    buf_append(out, text, (size_t)len);
}

static void append_lsn(struct buf *out, const char *key, lsn_t lsn)
{
    char text[LSN_TEXT_SIZE];
    int len = snprintf(text, sizeof(text), LSN_FMT, LSN_ARG(lsn));
    append_string(out, key, (struct slice){text, (size_t)len});
}

static void append_field(struct buf *out, const struct log_field *field)
{
    switch (field->kind) {
    case LOG_FIELD_STR:
        append_string(out, field->key, slice_of(field->text != NULL ? field->text : ""));
        break;
    case LOG_FIELD_SLICE:
        append_string(out, field->key, field->slice);
        break;
    case LOG_FIELD_INT:
        append_key(out, field->key);
        buf_append_int(out, field->number);
        break;
    case LOG_FIELD_FLOAT:
        append_float(out, field->key, field->real);
        break;
    case LOG_FIELD_LSN:
        append_lsn(out, field->key, (lsn_t)field->number);
        break;
    case LOG_FIELD_END:
        break;
    }
}

static void append_timestamp(struct buf *out)
{
    int64_t now_us = clock_wall_us();
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm utc;
    char text[64];
    (void)gmtime_r(&seconds, &utc);
    size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text + len, sizeof(text) - len, ".%03dZ", (int)(now_us / 1000 % 1000));
    append_string(out, "ts", slice_of(text));
}

/* One write(2) per line; only an interrupted or short one goes on. A log that nobody reads is no reason to
 * stop. */
static void write_line(struct slice line)
{
    while (line.len > 0) {
        ssize_t written = write(STDERR_FILENO, line.data, line.len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        line.data += written;
        line.len -= (size_t)written;
    }
}

void log_write(enum log_level level, const char *module, const char *message, const struct log_field *fields)
{
    if (level < min_level)
        return;
    struct buf line;
    buf_init(&line, LINE_BYTES_MAX - TAIL_BYTES);
    append_timestamp(&line);
    append_string(&line, "level", slice_of(level_names[level]));
    append_string(&line, "mod", slice_of(module));
    append_string(&line, "msg", slice_of(message));

    size_t kept = line.len;
    for (; fields->key != NULL && !line.overflowed; fields++) {
        kept = line.len;
        append_field(&line, fields);
    }
    bool cut = line.overflowed;
    line.overflowed = false;
    line.bytes_max = LINE_BYTES_MAX;
    if (cut) {
        line.len = kept;
        append_key(&line, "cut");
        buf_append_text(&line, "true");
    }
    buf_append_text(&line, line_format == LOG_JSON ? "}\n" : "\n");
    write_line(buf_slice(&line));
    buf_release(&line);
}

void log_err(const char *module, const char *message, const struct err *err)
{
    enum log_level level = err->action == ERR_RETRY ? LOG_WARN : LOG_ERROR;
    const char *code = err_code_name(err->code);
    if (err->sqlstate[0] != '\0')
        log_at(level, module, message, LOG_STR("code", code), LOG_STR("sqlstate", err->sqlstate),
               LOG_STR("error", err->text));
    else
        log_at(level, module, message, LOG_STR("code", code), LOG_STR("error", err->text));
}

void log_fatal_line(const struct err *err)
{
    struct buf line;
    buf_init(&line, LINE_BYTES_MAX);
    buf_append_text(&line, "error: ");
    for (const char *c = err->text; *c != '\0'; c++)
        buf_append_char(&line, (unsigned char)*c < 0x20 ? ' ' : *c); /* one line, whatever a server said */
    buf_append_char(&line, '\n');
    write_line(buf_slice(&line));
    buf_release(&line);
}
