#include "config_internal.h"

#include "walferry/properties.h"

#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

/* Kafka's config providers. A reference is ${NAME:PATH:KEY} or ${NAME:KEY}; NAME is one that config.providers
 * declares, or one of the plain names where it declares no such. Any other ${…} is text. A value that came
 * from a provider is not looked at again. As in Kafka a reference ends at the first brace, and a colon
 * separates at its first place. Other than in Kafka a reference that leads nowhere is an error. */

#define REFERENCE_BYTES_MAX 4096

enum provider_kind { PROVIDER_FILE, PROVIDER_ENVIRONMENT, PROVIDER_DIRECTORY };

static const struct {
    const char *plain_name, *class_name;
} kinds[] = {
    [PROVIDER_FILE] = {"file", "FileConfigProvider"},
    [PROVIDER_ENVIRONMENT] = {"env", "EnvVarConfigProvider"},
    [PROVIDER_DIRECTORY] = {"dir", "DirectoryConfigProvider"},
};
#define KIND_COUNT (sizeof(kinds) / sizeof(*kinds))

struct reference {
    struct slice text; /* with its braces, for errors */
    struct slice provider, path, key;
};

struct resolver {
    const struct config_list *given;
    char **environment;
    const struct config_item *item; /* whose value is resolved */
    struct buf out;
};

static const struct config_item *provider_setting(const struct resolver *resolver, struct slice provider,
                                                  const char *setting)
{
    char name[256];
    (void)snprintf(name, sizeof(name), "config.providers." SLICE_FMT ".%s", SLICE_ARG(provider), setting);
    return config_list_find(resolver->given, name);
}

static bool is_declared(const struct resolver *resolver, struct slice provider)
{
    const struct config_item *declared = config_list_find(resolver->given, "config.providers");
    const char *at = declared != NULL ? declared->value : "";
    while (*at != '\0') {
        size_t start = strspn(at, ", \t");
        size_t len = strcspn(at + start, ", \t");
        if (len > 0 && slice_equal(provider, (struct slice){at + start, len}))
            return true;
        at += start + len;
    }
    return false;
}

/* Whether `provider` names a provider at all; then `kind` by its class, or by its plain name. */
static bool find_kind(const struct resolver *resolver, struct slice provider, enum provider_kind *kind,
                      bool *unknown_class)
{
    bool declared = is_declared(resolver, provider);
    const struct config_item *class_item = declared ? provider_setting(resolver, provider, "class") : NULL;
    const char *dot = class_item != NULL ? strrchr(class_item->value, '.') : NULL;
    const char *simple = dot != NULL ? dot + 1 : class_item != NULL ? class_item->value : "";
    for (size_t i = 0; i < KIND_COUNT; i++) {
        bool matches = class_item != NULL ? strcmp(simple, kinds[i].class_name) == 0
                                          : slice_equal(provider, slice_of(kinds[i].plain_name));
        if (matches) {
            *kind = (enum provider_kind)i;
            return true;
        }
    }
    *unknown_class = declared;
    return declared;
}

static bool fail(const struct resolver *resolver, const struct reference *reference, struct err *err,
                 const char *reason)
{
    return err_set(err, ERR_CONFIG, "%s: %s: " SLICE_FMT ": %s", resolver->item->origin, resolver->item->name,
                   SLICE_ARG(reference->text), reason);
}

/* param.allowed.paths of the file and directory providers: what lies elsewhere is refused. */
static bool path_is_allowed(const struct resolver *resolver, const struct reference *reference,
                            const char *path)
{
    const struct config_item *allowed =
        provider_setting(resolver, reference->provider, "param.allowed.paths");
    char real[PATH_MAX], real_root[PATH_MAX], root[PATH_MAX];
    if (allowed == NULL || allowed->value[0] == '\0')
        return true;
    if (realpath(path, real) == NULL)
        return true; /* not there: reading it says so */
    for (const char *at = allowed->value; *at != '\0';) {
        size_t len = strcspn(at, ",");
        (void)snprintf(root, sizeof(root), "%.*s", (int)len, at);
        size_t root_len = realpath(root, real_root) != NULL ? strlen(real_root) : 0;
        if (root_len > 0 && strncmp(real, real_root, root_len) == 0 &&
            (real[root_len] == '/' || real[root_len] == '\0' || root_len == 1))
            return true;
        at += len + (at[len] == ',');
    }
    return false;
}

/* Reads the file that the reference names; the errors name reference and file, never what is in it. */
static bool load(struct resolver *resolver, const struct reference *reference, const char *path,
                 struct buf *text, struct err *err)
{
    char who[REFERENCE_BYTES_MAX];
    buf_init(text, 0);
    if (!path_is_allowed(resolver, reference, path))
        return fail(resolver, reference, err,
                    "outside the provider's allowed.paths; move the file or allow it");
    (void)snprintf(who, sizeof(who), "%s: %s: " SLICE_FMT, resolver->item->origin, resolver->item->name,
                   SLICE_ARG(reference->text));
    return config_file_load(who, path, text, err);
}

static bool append(struct resolver *resolver, const struct reference *reference, struct slice value,
                   struct err *err)
{
    if (memchr(value.data, '\0', value.len) != NULL)
        return fail(resolver, reference, err,
                    "the value has a NUL character, which is not allowed; remove it");
    buf_append_slice(&resolver->out, value);
    return true;
}

static bool append_from_file(struct resolver *resolver, const struct reference *reference, struct err *err)
{
    char path[PATH_MAX];
    struct buf text, value;
    struct properties_reader reader;
    enum properties_result result;
    bool found = false;
    (void)snprintf(path, sizeof(path), SLICE_FMT, SLICE_ARG(reference->path));
    bool ok = load(resolver, reference, path, &text, err);
    buf_init(&value, CONFIG_FILE_BYTES_MAX);
    properties_reader_init(&reader, buf_slice(&text));
    while (ok && (result = properties_read(&reader, err)) != PROPERTIES_END) {
        ok = result == PROPERTIES_ENTRY;
        if (ok && slice_equal(buf_slice(&reader.key), reference->key)) {
            found = true; /* the last one holds */
            buf_clear(&value);
            buf_append_slice(&value, buf_slice(&reader.value));
        }
    }
    if (ok)
        ok = found ? append(resolver, reference, buf_slice(&value), err)
                   : fail(resolver, reference, err, "no such key in the file; add it there");
    properties_reader_release(&reader);
    buf_release(&value);
    buf_release(&text);
    return ok;
}

/* The whole content of one file of a directory, as Kubernetes mounts secrets. */
static bool append_from_directory(struct resolver *resolver, const struct reference *reference,
                                  struct err *err)
{
    char path[PATH_MAX];
    struct buf text;
    if (reference->path.len == 0 || memchr(reference->key.data, '/', reference->key.len) != NULL ||
        slice_equal(reference->key, slice_of("..")))
        return fail(resolver, reference, err, "allowed ${dir:DIRECTORY:FILE}, FILE without a slash");
    (void)snprintf(path, sizeof(path), SLICE_FMT "/" SLICE_FMT, SLICE_ARG(reference->path),
                   SLICE_ARG(reference->key));
    bool ok =
        load(resolver, reference, path, &text, err) && append(resolver, reference, buf_slice(&text), err);
    buf_release(&text);
    return ok;
}

/* param.allowlist.pattern of the environment provider matches the whole name. */
static bool variable_is_allowed(const struct resolver *resolver, const struct reference *reference,
                                const char *name)
{
    const struct config_item *allowed =
        provider_setting(resolver, reference->provider, "param.allowlist.pattern");
    char anchored[512];
    regex_t pattern;
    if (allowed == NULL)
        return true;
    (void)snprintf(anchored, sizeof(anchored), "^(%s)$", allowed->value);
    if (regcomp(&pattern, anchored, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool matches = regexec(&pattern, name, 0, NULL, 0) == 0;
    regfree(&pattern);
    return matches;
}

static bool append_from_environment(struct resolver *resolver, const struct reference *reference,
                                    struct err *err)
{
    char name[256];
    size_t len = reference->key.len;
    if (reference->path.len > 0 || len == 0 || len >= sizeof(name))
        return fail(resolver, reference, err, "allowed ${env:NAME}");
    (void)snprintf(name, sizeof(name), SLICE_FMT, SLICE_ARG(reference->key));
    if (!variable_is_allowed(resolver, reference, name))
        return fail(resolver, reference, err, "not in the provider's allowlist.pattern; allow it");
    for (char **variable = resolver->environment; variable != NULL && *variable != NULL; variable++) {
        if (strncmp(*variable, name, len) == 0 && (*variable)[len] == '=')
            return append(resolver, reference, slice_of(*variable + len + 1), err);
    }
    return fail(resolver, reference, err, "the environment has no such variable; set it");
}

static bool append_reference(struct resolver *resolver, const struct reference *reference,
                             enum provider_kind kind, struct err *err)
{
    if (reference->text.len >= REFERENCE_BYTES_MAX / 2 || reference->path.len >= PATH_MAX / 2)
        return fail(resolver, reference, err, "too long");
    switch (kind) {
    case PROVIDER_FILE:
        return append_from_file(resolver, reference, err);
    case PROVIDER_DIRECTORY:
        return append_from_directory(resolver, reference, err);
    case PROVIDER_ENVIRONMENT:
        return append_from_environment(resolver, reference, err);
    }
    return false;
}

/* ${PROVIDER:PATH:KEY} or ${PROVIDER:KEY} at the start of `text`. */
static bool parse_reference(struct slice text, struct reference *reference)
{
    const char *end = memchr(text.data, '}', text.len);
    if (end == NULL || text.len < 2 || text.data[1] != '{')
        return false;
    struct slice inner = {text.data + 2, (size_t)(end - text.data) - 2};
    const char *colon = memchr(inner.data, ':', inner.len);
    if (colon == NULL)
        return false;
    reference->text = (struct slice){text.data, (size_t)(end - text.data) + 1};
    reference->provider = (struct slice){inner.data, (size_t)(colon - inner.data)};
    struct slice rest = {colon + 1, inner.len - reference->provider.len - 1};
    const char *second = memchr(rest.data, ':', rest.len);
    size_t path_len = second != NULL ? (size_t)(second - rest.data) : 0;
    reference->path = (struct slice){rest.data, path_len};
    reference->key = second != NULL ? (struct slice){second + 1, rest.len - path_len - 1} : rest;
    return true;
}

/* Builds the value anew in resolver->out; `*filled` says whether a provider had a part in it. */
static bool expand(struct resolver *resolver, struct slice rest, bool *filled, struct err *err)
{
    while (rest.len > 0) {
        struct reference reference;
        enum provider_kind kind = PROVIDER_FILE;
        bool unknown_class = false;
        size_t taken = 1;
        if (rest.data[0] == '$' && parse_reference(rest, &reference)) {
            taken = reference.text.len;
            if (find_kind(resolver, reference.provider, &kind, &unknown_class)) {
                if (unknown_class)
                    return fail(resolver, &reference, err,
                                "allowed classes of a provider: FileConfigProvider, EnvVarConfigProvider, "
                                "DirectoryConfigProvider; set config.providers.NAME.class");
                if (!append_reference(resolver, &reference, kind, err))
                    return false;
                *filled = true;
                rest = (struct slice){rest.data + taken, rest.len - taken};
                continue;
            }
        }
        buf_append(&resolver->out, rest.data, taken);
        rest = (struct slice){rest.data + taken, rest.len - taken};
    }
    return true;
}

bool config_providers_resolve(struct config_list *given, char **environment, struct err *err)
{
    struct resolver resolver = {.given = given, .environment = environment};
    bool ok = true;
    buf_init(&resolver.out, CONFIG_FILE_BYTES_MAX);
    for (size_t i = 0; ok && i < given->count; i++) {
        struct config_item *item = &given->items[i];
        bool filled = false;
        /* The providers themselves are not configured through providers. */
        if (strstr(item->value, "${") == NULL || strncmp(item->name, "config.providers", 16) == 0)
            continue;
        resolver.item = item;
        buf_clear(&resolver.out);
        ok = expand(&resolver, slice_of(item->value), &filled, err);
        if (ok && resolver.out.overflowed)
            ok = err_set(err, ERR_CONFIG, "%s: %s: longer than %u bytes; shorten it", item->origin,
                         item->name, CONFIG_FILE_BYTES_MAX);
        if (ok && filled) {
            item->raw = item->value;
            item->value = strdup(buf_text(&resolver.out));
            if (item->value == NULL)
                abort();
        }
    }
    buf_release(&resolver.out);
    return ok;
}
