#define _GNU_SOURCE /* environ */

#include "applier.h"
#include "check.h"

#include "walferry/command_line.h"
#include "walferry/log.h"

#include <unistd.h>

static const struct command_line_program program = {
    .name = "walferry-applier",
    .about = "Applies the changes that walferry-streamer publishes to a PostgreSQL database,\n"
             "whole transactions, each exactly once.",
    .table = &applier_config_table,
    .drains = true,
};

int main(int argc, char **argv)
{
    struct command_line line;
    struct applier_config target;
    struct config *config = NULL;
    struct err err;
    int code = command_line_read(argc, argv, &program, &line);
    if (code >= 0)
        return code;
    struct config_sources sources = {line.files, line.sets, environ};
    if (!applier_config_load(&sources, &target, &config, &err)) {
        log_fatal_line(&err);
        return err_exit_code(&err);
    }
    if (line.command == COMMAND_CHECK)
        code = check_run(&target);
    else if (line.command == COMMAND_PRINT_CONFIG)
        code = command_line_print_config(config);
    else
        code = applier_run(&target, &sources, line.drain);
    applier_config_release(&target);
    config_free(config);
    return code;
}
