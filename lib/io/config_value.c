#include "config_internal.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

const struct config_key *config_key_find(const struct config_table *table, const char *name)
{
    const struct config_key *longest = NULL;
    for (const struct config_key *key = table->keys; key->name != NULL; key++) {
        size_t len = strlen(key->name);
        if (strcmp(key->name, name) == 0)
            return key;
        if ((key->flags & CONFIG_PREFIX) != 0 && strncmp(key->name, name, len) == 0 &&
            (longest == NULL || len > strlen(longest->name)))
            longest = key;
    }
    return longest;
}

/* Levenshtein's distance, one row at a time; names are cut, which only makes the suggestion worse. */
static size_t edit_distance(const char *a, const char *b)
{
    enum { LEN_MAX = 128 };
    size_t row[LEN_MAX + 1];
    size_t a_len = strnlen(a, LEN_MAX);
    size_t b_len = strnlen(b, LEN_MAX);
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            size_t shifted = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replaced < shifted ? replaced : shifted;
        }
    }
    return row[b_len];
}

const char *config_key_nearest(const struct config_table *table, const char *name)
{
    const char *nearest = "";
    size_t smallest = SIZE_MAX;
    const size_t ours = strlen("walferry.");
    for (const struct config_key *key = table->keys; key->name != NULL; key++) {
        size_t distance = edit_distance(name, key->name);
        if (strncmp(key->name, "walferry.", ours) == 0 && edit_distance(name, key->name + ours) < distance)
            distance = edit_distance(name, key->name + ours);
        if (distance < smallest) {
            smallest = distance;
            nearest = key->name;
        }
    }
    return nearest;
}

void config_value_append_allowed(struct buf *out, const struct config_key *key)
{
    if (key->type == CONFIG_BOOL)
        buf_append_text(out, "true, false");
    else if (key->type == CONFIG_INT && (key->min != 0 || key->max != 0))
        buf_printf(out, "%lld to %lld", (long long)key->min, (long long)key->max);
    else if (key->type == CONFIG_INT)
        buf_append_text(out, "a whole number");
    for (const char *const *name = key->allowed; key->type == CONFIG_ENUM && *name != NULL; name++)
        buf_printf(out, "%s%s", name == key->allowed ? "" : ", ", *name);
}

/* The value without white space around it, as Kafka reads all but strings; false where it is too long to be
 * any number or name. */
static bool trim(const char *value, char trimmed[128])
{
    while (isspace((unsigned char)*value))
        value++;
    size_t len = strlen(value);
    while (len > 0 && isspace((unsigned char)value[len - 1]))
        len--;
    if (len >= 128)
        return false;
    memcpy(trimmed, value, len);
    trimmed[len] = '\0';
    return true;
}

static bool read_bool(const char *text, bool *value)
{
    *value = strcasecmp(text, "true") == 0;
    return *value || strcasecmp(text, "false") == 0;
}

static bool read_int(const struct config_key *key, const char *text, int64_t *value)
{
    char *end;
    const char *digits = text[0] == '-' || text[0] == '+' ? text + 1 : text;
    if (!isdigit((unsigned char)*digits))
        return false;
    errno = 0;
    *value = strtoll(text, &end, 10);
    bool bounded = key->min != 0 || key->max != 0;
    return errno == 0 && *end == '\0' && (!bounded || (*value >= key->min && *value <= key->max));
}

static bool read_enum(const struct config_key *key, const char *text, int *value)
{
    for (*value = 0; key->allowed[*value] != NULL; ++*value) {
        if (strcasecmp(key->allowed[*value], text) == 0)
            return true;
    }
    return false;
}

/* memcpy, since the table knows the field by its offset only. */
static bool store(const struct config_key *key, const char *value, char *field)
{
    char text[128];
    union {
        bool boolean;
        int64_t integer;
        int index;
    } read;
    if (key->type == CONFIG_STRING) {
        memcpy(field, &value, sizeof(value));
        return true;
    }
    if (!trim(value, text))
        return false;
    if (key->type == CONFIG_BOOL && read_bool(text, &read.boolean))
        memcpy(field, &read.boolean, sizeof(read.boolean));
    else if (key->type == CONFIG_INT && read_int(key, text, &read.integer))
        memcpy(field, &read.integer, sizeof(read.integer));
    else if (key->type == CONFIG_ENUM && read_enum(key, text, &read.index))
        memcpy(field, &read.index, sizeof(read.index));
    else
        return false;
    return true;
}

bool config_value_bind(const struct config_key *key, const struct config_item *item, const char *value,
                       void *target, struct err *err)
{
    static const size_t sizes[] = {
        [CONFIG_STRING] = sizeof(char *),
        [CONFIG_BOOL] = sizeof(bool),
        [CONFIG_INT] = sizeof(int64_t),
        [CONFIG_ENUM] = sizeof(int),
    };
    char *field = (char *)target + key->offset;
    if (value == NULL) {
        memset(field, 0, sizes[key->type]);
        return true;
    }
    if (store(key, value, field))
        return true;
    assert(item != NULL); /* a default that its own row refuses is our bug */
    struct buf allowed;
    buf_init(&allowed, 200);
    config_value_append_allowed(&allowed, key);
    (void)config_value_refuse(key, item, buf_text(&allowed), err);
    buf_release(&allowed);
    return false;
}

bool config_value_refuse(const struct config_key *key, const struct config_item *item, const char *allowed,
                         struct err *err)
{
    struct buf shown;
    buf_init(&shown, 200);
    config_value_append_shown(&shown, key, item, item->raw != NULL ? item->raw : item->value);
    (void)err_set(err, ERR_CONFIG, "%s: %s=%s: allowed %s; correct the value or remove the key", item->origin,
                  key->name, shown.overflowed ? "…" : buf_text(&shown), allowed);
    buf_release(&shown);
    return false;
}

bool config_value_check_unsupported(const struct config_key *key, const struct config_item *item,
                                    struct err *err)
{
    char text[128];
    bool is_default =
        trim(item->value, text) && strcasecmp(text, key->fallback != NULL ? key->fallback : "") == 0;
    if (is_default)
        return true;
    struct buf shown;
    buf_init(&shown, 200);
    config_value_append_shown(&shown, key, item, item->raw != NULL ? item->raw : item->value);
    (void)err_set(err, ERR_CONFIG, "%s: %s=%s: not supported; allowed %s%s, remove the key", item->origin,
                  item->name, shown.overflowed ? "…" : buf_text(&shown),
                  key->fallback != NULL ? "only the default " : "no value but an empty one",
                  key->fallback != NULL ? key->fallback : "");
    buf_release(&shown);
    return false;
}

/* Names whose values are secrets where no row says so: properties passed on to clients, unknown keys. */
static bool name_tells_secret(const char *name)
{
    static const char *const parts[] = {"password", "passwd",     "secret", "token",
                                        "jaas",     "credential", "ssl.key"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        for (const char *at = name; *at != '\0'; at++) {
            if (strncasecmp(at, parts[i], strlen(parts[i])) == 0)
                return true;
        }
    }
    return false;
}

bool config_value_is_secret(const struct config_key *key, const struct config_item *item)
{
    bool own_row = key != NULL && item != NULL && strcmp(key->name, item->name) == 0;
    if (key != NULL && (key->flags & CONFIG_SECRET) != 0)
        return true;
    if (item == NULL || (own_row && key->type != CONFIG_ACCEPTED && key->type != CONFIG_UNSUPPORTED))
        return false;
    return item->raw != NULL || name_tells_secret(item->name);
}

/* The length of a password that starts at `at`: behind password=, or between : and @ of a URL. */
static size_t password_len(const char *value, const char *at)
{
    static const char key[] = "password=";
    size_t key_len = strlen(key);
    if ((size_t)(at - value) >= key_len && strncasecmp(at - key_len, key, key_len) == 0)
        return strcspn(at, "&; \t");
    if (at == value || at[-1] != ':')
        return 0;
    const char *authority = strstr(value, "://");
    if (authority == NULL || at < authority + 4)
        return 0;
    size_t len = strcspn(authority + 3, "/?#");
    const char *end = authority + 3 + len;
    const char *host = NULL;
    for (const char *c = authority + 3; c < end; c++)
        host = *c == '@' ? c : host;
    bool first_colon = memchr(authority + 3, ':', (size_t)(at - 1 - (authority + 3))) == NULL;
    return host != NULL && at <= host && first_colon ? (size_t)(host - at) : 0;
}

void config_value_append_shown(struct buf *out, const struct config_key *key, const struct config_item *item,
                               const char *value)
{
    if (config_value_is_secret(key, item)) {
        buf_append_text(out, CONFIG_HIDDEN);
        return;
    }
    for (const char *at = value; *at != '\0';) {
        size_t hidden = password_len(value, at);
        if (hidden > 0)
            buf_append_text(out, CONFIG_HIDDEN);
        at += hidden;
        if (*at != '\0')
            buf_append_char(out, *at++);
    }
}
