#include "config_internal.h"

#include "walferry/properties.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yyjson.h>

#define ORIGIN_BYTES_MAX 4096

static bool add(struct config_list *items, struct slice name, struct slice value, const char *origin,
                struct err *err)
{
    if (memchr(name.data, '\0', name.len) != NULL || memchr(value.data, '\0', value.len) != NULL)
        return err_set(err, ERR_CONFIG, "%s: a NUL character is not allowed; remove it", origin);
    config_list_add(items, name, value, origin);
    return true;
}

static bool parse_properties(const char *path, struct slice text, struct config_list *items, struct err *err)
{
    struct properties_reader reader;
    enum properties_result result;
    bool ok = true;
    properties_reader_init(&reader, text);
    while (ok && (result = properties_read(&reader, err)) != PROPERTIES_END) {
        char origin[ORIGIN_BYTES_MAX];
        (void)snprintf(origin, sizeof(origin), "%s:%u", path, reader.line);
        if (result == PROPERTIES_ERROR)
            ok = err_prefix(err, "%s", path);
        else
            ok = add(items, buf_slice(&reader.key), buf_slice(&reader.value), origin, err);
    }
    properties_reader_release(&reader);
    return ok;
}

/* yyjson unescapes in place, so a key still points near where it stands in the text; line breaks inside a
 * JSON string are not allowed, so counting them in the text before it gives its line. */
struct json_text {
    const char *path;
    struct slice original;
    const char *copy;
};

static unsigned line_at(struct slice text, size_t offset)
{
    unsigned line = 1;
    for (size_t i = 0; i < offset && i < text.len; i++)
        line += text.data[i] == '\n';
    return line;
}

static bool json_scalar(yyjson_val *value, struct slice *text)
{
    if (yyjson_is_str(value) || yyjson_is_raw(value)) {
        const char *data = yyjson_is_str(value) ? yyjson_get_str(value) : yyjson_get_raw(value);
        *text = (struct slice){data, yyjson_get_len(value)};
        return true;
    }
    if (yyjson_is_bool(value)) {
        *text = slice_of(yyjson_get_bool(value) ? "true" : "false");
        return true;
    }
    return false;
}

/* A flat map; null means not given. In the outer map of Connect's form `config` is passed over. */
static bool add_map(const struct json_text *json, yyjson_val *map, bool outer, struct config_list *items,
                    struct err *err)
{
    yyjson_obj_iter iter;
    yyjson_obj_iter_init(map, &iter);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&iter)) != NULL;) {
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        struct slice name = {yyjson_get_str(key), yyjson_get_len(key)};
        struct slice text;
        char origin[ORIGIN_BYTES_MAX];
        (void)snprintf(origin, sizeof(origin), "%s:%u", json->path,
                       line_at(json->original, (size_t)(name.data - json->copy)));
        if (yyjson_is_null(value) || (outer && yyjson_is_obj(value) && yyjson_equals_str(key, "config")))
            continue;
        if (!json_scalar(value, &text))
            return err_set(err, ERR_CONFIG,
                           "%s: " SLICE_FMT
                           ": allowed a string, a number, true or false; write lists as one string",
                           origin, SLICE_ARG(name));
        if (!add(items, name, text, origin, err))
            return false;
    }
    return true;
}

static bool parse_json(const char *path, struct slice text, struct config_list *items, struct err *err)
{
    char *copy = calloc(1, text.len + YYJSON_PADDING_SIZE);
    if (copy == NULL)
        abort();
    memcpy(copy, text.data, text.len);
    yyjson_read_err wrong;
    yyjson_doc *doc =
        yyjson_read_opts(copy, text.len, YYJSON_READ_INSITU | YYJSON_READ_NUMBER_AS_RAW, NULL, &wrong);
    yyjson_val *root = doc != NULL ? yyjson_doc_get_root(doc) : NULL;
    const struct json_text json = {path, text, copy};
    bool ok;
    if (root == NULL) {
        ok = err_set(err, ERR_CONFIG, "%s:%u: not JSON: %s; correct it", path, line_at(text, wrong.pos),
                     wrong.msg);
    } else if (!yyjson_is_obj(root)) {
        ok = err_set(err, ERR_CONFIG,
                     "%s:1: allowed a JSON object: a map of keys, or {\"name\":…,\"config\":{…}}", path);
    } else {
        yyjson_val *inner = yyjson_obj_get(root, "config");
        bool wrapped = yyjson_is_obj(inner);
        ok = add_map(&json, root, wrapped, items, err) &&
             (!wrapped || add_map(&json, inner, false, items, err));
    }
    yyjson_doc_free(doc);
    free(copy);
    return ok;
}

static bool is_json(const char *path, struct slice text)
{
    size_t len = strlen(path);
    size_t at = 0;
    if (len >= 5 && strcmp(path + len - 5, ".json") == 0)
        return true;
    while (at < text.len && strchr(" \t\r\n", text.data[at]) != NULL && text.data[at] != '\0')
        at++;
    return at < text.len && text.data[at] == '{';
}

bool config_file_parse(const char *path, struct slice text, struct config_list *items, struct err *err)
{
    return is_json(path, text) ? parse_json(path, text, items, err)
                               : parse_properties(path, text, items, err);
}

bool config_file_load(const char *who, const char *path, struct buf *text, struct err *err)
{
    bool ok = false;
    ssize_t len = 1;
    struct stat status;
    buf_init(text, CONFIG_FILE_BYTES_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        (void)err_set(err, ERR_CONFIG, "%s: %s; give a file that this user can read", who, strerror(errno));
        goto done;
    }
    if (S_ISDIR(status.st_mode)) {
        (void)err_set(err, ERR_CONFIG, "%s: is a directory; give a file", who);
        goto done;
    }
    while (len > 0 && !text->overflowed) {
        char chunk[16384];
        len = read(fd, chunk, sizeof(chunk));
        if (len > 0)
            buf_append(text, chunk, (size_t)len);
    }
    ok = len == 0;
    if (len < 0)
        (void)err_set(err, ERR_CONFIG, "%s: %s; give a file that this user can read", who, strerror(errno));
    else if (!ok)
        (void)err_set(err, ERR_CONFIG, "%s: longer than %u bytes; give a configuration file", who,
                      CONFIG_FILE_BYTES_MAX);
done:
    if (fd >= 0)
        (void)close(fd);
    return ok;
}
