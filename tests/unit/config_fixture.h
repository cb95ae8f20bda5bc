/* config_fixture: a small table, a temporary directory for files, and one load with all that it said. */
#ifndef WALFERRY_CONFIG_FIXTURE_H
#define WALFERRY_CONFIG_FIXTURE_H

#include "walferry/config.h"

#include "capture.h"
#include "cmocka_all.h"

struct settings {
    char *host, *password, *slot, *path, *url;
    bool metadata;
    int64_t interval_ms, any;
    int mode;
};

struct fixture {
    char directory[64];
    char path_a[128], path_b[128]; /* worker and connector file */
    struct settings settings;
    struct config *config;
    struct err err;
    struct buf out;
    struct capture capture;
};

extern const struct config_table fixture_table;

int fixture_set_up(void **state);
int fixture_tear_down(void **state);

/* Writes a file of the directory and returns its path, in memory that the next call overwrites. */
const char *fixture_write(struct fixture *fixture, const char *name, const char *text);

/* Loads "connector.properties" with `text`, and asserts that it works. */
void fixture_load_text(struct fixture *fixture, const char *text);

/* Any sources; the log lines are in fixture->capture.text. */
bool fixture_load(struct fixture *fixture, const struct config_sources *sources);

/* Asserts that `text` as connector.properties is refused with exactly this error, where @ is the path. */
void fixture_refuses(struct fixture *fixture, const char *text, const char *error);

#endif
