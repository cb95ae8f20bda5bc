#define _GNU_SOURCE /* environ */

#include "streamer.h"

#include "walferry/command_line.h"
#include "walferry/log.h"

#include <unistd.h>

static const struct command_line_program program = {
    .name = "walferry-streamer",
    .about = "Publishes the changes of a PostgreSQL database as Debezium's connector does,\n"
             "straight from a logical replication slot.",
    .table = &streamer_config_table,
};

int main(int argc, char **argv)
{
    static struct streamer streamer;
    struct command_line line;
    struct err err;
    int code = command_line_read(argc, argv, &program, &line);
    if (code >= 0)
        return code;
    struct config_sources sources = {line.files, line.sets, environ};
    if (!streamer_config_load(&sources, &streamer.config, &streamer.loaded, &err)) {
        log_fatal_line(&err);
        return err_exit_code(&err);
    }
    if (line.command == COMMAND_PRINT_CONFIG) {
        code = command_line_print_config(streamer.loaded);
    } else {
        streamer_init(&streamer, &sources);
        code = line.command == COMMAND_CHECK ? streamer_check(&streamer) : streamer_run(&streamer);
        streamer_release(&streamer);
    }
    config_free(streamer.loaded);
    return code;
}
