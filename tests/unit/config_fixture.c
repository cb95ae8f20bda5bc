#include "config_fixture.h"

#include <dirent.h>
#include <stddef.h>
#include <string.h>

static const char *const modes[] = {"initial", "no_data", "when_needed", NULL};
static const struct config_alias aliases[] = {{"TARGET_DB_HOST", "db.host"}, {NULL, NULL}};

static const struct config_key keys[] = {
    {.name = "name", .type = CONFIG_ACCEPTED, .group = "Other", .help = "Connect's."},
    {.name = "db.host",
     .type = CONFIG_STRING,
     .offset = offsetof(struct settings, host),
     .flags = CONFIG_REQUIRED,
     .group = "Source",
     .help = "Host of the server."},
    {.name = "db.password",
     .type = CONFIG_STRING,
     .offset = offsetof(struct settings, password),
     .flags = CONFIG_SECRET | CONFIG_RELOAD,
     .group = "Source",
     .help = "Password."},
    {.name = "slot.name",
     .type = CONFIG_STRING,
     .offset = offsetof(struct settings, slot),
     .fallback = "debezium",
     .group = "Slot | publication",
     .help = "Slot."},
    {.name = "walferry.local.path",
     .type = CONFIG_STRING,
     .offset = offsetof(struct settings, path),
     .fallback = "./walferry.db",
     .group = "Log",
     .help = "File."},
    {.name = "connection.url",
     .type = CONFIG_STRING,
     .offset = offsetof(struct settings, url),
     .group = "Source",
     .help = "URL."},
    {.name = "provide.transaction.metadata",
     .type = CONFIG_BOOL,
     .offset = offsetof(struct settings, metadata),
     .fallback = "false",
     .group = "Log",
     .help = "Transactions."},
    {.name = "status.update.interval.ms",
     .type = CONFIG_INT,
     .offset = offsetof(struct settings, interval_ms),
     .fallback = "10000",
     .min = 1,
     .max = 3600000,
     .flags = CONFIG_RELOAD,
     .group = "Source",
     .help = "Pause."},
    {.name = "any.number",
     .type = CONFIG_INT,
     .offset = offsetof(struct settings, any),
     .group = "Log",
     .help = "A number."},
    {.name = "snapshot.mode",
     .type = CONFIG_ENUM,
     .offset = offsetof(struct settings, mode),
     .fallback = "initial",
     .allowed = modes,
     .group = "Log",
     .help = "Mode."},
    {.name = "signal.enabled.channels",
     .type = CONFIG_UNSUPPORTED,
     .fallback = "source",
     .group = "Other",
     .help = ""},
    {.name = "transforms", .type = CONFIG_UNSUPPORTED, .group = "Other", .help = ""},
    {.name = "driver.", .type = CONFIG_UNSUPPORTED, .flags = CONFIG_PREFIX, .group = "Other", .help = ""},
    {.name = "producer.",
     .type = CONFIG_STRING,
     .flags = CONFIG_PREFIX,
     .group = "Kafka",
     .help = "Passed on."},
    {.name = "config.providers",
     .type = CONFIG_ACCEPTED,
     .flags = CONFIG_PREFIX,
     .group = "Other",
     .help = ""},
    {.name = NULL},
};

const struct config_table fixture_table = {.program = "walferry-test", .keys = keys, .aliases = aliases};

int fixture_set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    (void)snprintf(fixture->directory, sizeof(fixture->directory), "/tmp/walferry-config-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    (void)snprintf(fixture->path_a, sizeof(fixture->path_a), "%s/worker.properties", fixture->directory);
    (void)snprintf(fixture->path_b, sizeof(fixture->path_b), "%s/connector.properties", fixture->directory);
    buf_init(&fixture->out, 1 << 20);
    *state = fixture;
    return 0;
}

int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;
    DIR *directory = opendir(fixture->directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        (void)unlinkat(dirfd(directory), entry->d_name, 0);
    (void)closedir(directory);
    (void)rmdir(fixture->directory);
    config_free(fixture->config);
    buf_release(&fixture->out);
    free(fixture);
    return 0;
}

const char *fixture_write(struct fixture *fixture, const char *name, const char *text)
{
    static char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", fixture->directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    return path;
}

bool fixture_load(struct fixture *fixture, const struct config_sources *sources)
{
    config_free(fixture->config);
    fixture->config = NULL;
    capture_start(&fixture->capture);
    bool ok = config_load(&fixture_table, sources, &fixture->settings, &fixture->config, &fixture->err);
    (void)capture_stop(&fixture->capture);
    return ok;
}

static bool load_text(struct fixture *fixture, const char *text)
{
    const char *const files[] = {fixture_write(fixture, "connector.properties", text), NULL};
    return fixture_load(fixture, &(struct config_sources){.files = files});
}

void fixture_load_text(struct fixture *fixture, const char *text)
{
    if (!load_text(fixture, text))
        fail_msg("%s", fixture->err.text);
}

void fixture_refuses(struct fixture *fixture, const char *text, const char *error)
{
    char expected[1024];
    const char *at = strchr(error, '@');
    assert_false(load_text(fixture, text));
    assert_int_equal(fixture->err.code, ERR_CONFIG);
    assert_null(fixture->config);
    if (at == NULL)
        (void)snprintf(expected, sizeof(expected), "%s", error);
    else
        (void)snprintf(expected, sizeof(expected), "%.*s%s%s", (int)(at - error), error, fixture->path_b,
                       at + 1);
    assert_string_equal(fixture->err.text, expected);
}
