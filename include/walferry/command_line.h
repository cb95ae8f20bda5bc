/* command_line: the arguments that the long-running programs share.
 *
 *     NAME [--check|--print-config] [--set KEY=VALUE]... [WORKER.properties] CONNECTOR.{properties,json}
 *
 * --help, --version and a mistake are answered here; the caller then ends with the exit code.
 */
#ifndef WALFERRY_COMMAND_LINE_H
#define WALFERRY_COMMAND_LINE_H

#include "walferry/config.h"

#define COMMAND_LINE_FILES_MAX 2
#define COMMAND_LINE_SETS_MAX 256

enum command { COMMAND_RUN, COMMAND_CHECK, COMMAND_PRINT_CONFIG };

struct command_line {
    enum command command;
    bool drain;
    const char *files[COMMAND_LINE_FILES_MAX + 1]; /* of argv; ends with NULL, as config_sources wants it */
    const char *sets[COMMAND_LINE_SETS_MAX + 1];   /* the same */
};

struct command_line_program {
    const char *name;  /* "walferry-streamer" */
    const char *about; /* one sentence or two, lines broken, for --help */
    const struct config_table *table;
    bool drains; /* takes --drain */
};

/* -1: go on with `line`; anything else is the exit code. */
int command_line_read(int argc, char **argv, const struct command_line_program *program,
                      struct command_line *line);

/* --print-config on standard output; returns the exit code. */
int command_line_print_config(const struct config *config);

#endif
