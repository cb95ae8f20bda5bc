#define _GNU_SOURCE /* environ */

#include "streamer.h"

#include "walferry/log.h"
#include "walferry/version.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#define FILES_MAX 2
#define SETS_MAX 256

struct arguments {
    enum { COMMAND_RUN, COMMAND_CHECK, COMMAND_PRINT_CONFIG, COMMAND_HELP, COMMAND_VERSION } command;
    const char *files[FILES_MAX + 1];
    const char *sets[SETS_MAX + 1];
};

static const char usage[] =
    "usage: walferry-streamer [--check|--print-config] [--set KEY=VALUE]... [WORKER.properties] "
    "CONNECTOR.{properties,json}\n";

static const struct option options[] = {
    {"check", no_argument, NULL, 'c'},     {"print-config", no_argument, NULL, 'p'},
    {"set", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},   {NULL, 0, NULL, 0},
};

static bool read_options(int argc, char **argv, struct arguments *arguments, struct err *err)
{
    size_t sets = 0;
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "hs:", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            arguments->command = COMMAND_CHECK;
            break;
        case 'p':
            arguments->command = COMMAND_PRINT_CONFIG;
            break;
        case 'h':
            arguments->command = COMMAND_HELP;
            break;
        case 'v':
            arguments->command = COMMAND_VERSION;
            break;
        case 's':
            if (sets == SETS_MAX)
                return err_set(err, ERR_CONFIG, "more than %d --set", SETS_MAX);
            arguments->sets[sets++] = optarg;
            break;
        default:
            return err_set(err, ERR_CONFIG, "option \"%s\": unknown, or without its value; see --help",
                           argv[optind - 1]);
        }
    }
    return true;
}

static bool read_arguments(int argc, char **argv, struct arguments *arguments, struct err *err)
{
    if (!read_options(argc, argv, arguments, err))
        return false;
    if (arguments->command == COMMAND_HELP || arguments->command == COMMAND_VERSION)
        return true;
    if (optind == argc || argc - optind > FILES_MAX)
        return err_set(err, ERR_CONFIG,
                       "one or two configuration files are expected, %d were given; see --help",
                       argc - optind);
    for (int i = 0; optind + i < argc; i++)
        arguments->files[i] = argv[optind + i];
    return true;
}

static int print_help(void)
{
    struct buf help;
    buf_init(&help, 1 << 20);
    config_write_help(&streamer_config_table, &help);
    (void)fputs(usage, stdout);
    (void)fputs("\n--check: connect, check everything that a start needs, change nothing; exit code 0 or 1\n"
                "--print-config: the effective configuration, secrets hidden\n"
                "--set KEY=VALUE: wins over files and environment\n\n",
                stdout);
    (void)fputs(buf_text(&help), stdout);
    buf_release(&help);
    return 0;
}

static int print_config(const struct config *config)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    config_print(config, &text);
    (void)fputs(buf_text(&text), stdout);
    buf_release(&text);
    return 0;
}

static int run(const struct arguments *arguments, const struct config_sources *sources)
{
    static struct streamer streamer;
    struct err err;
    if (!streamer_config_load(sources, &streamer.config, &streamer.loaded, &err)) {
        log_fatal_line(&err);
        return err_exit_code(&err);
    }
    int code;
    if (arguments->command == COMMAND_PRINT_CONFIG) {
        code = print_config(streamer.loaded);
    } else {
        streamer_init(&streamer, sources);
        code = arguments->command == COMMAND_CHECK ? streamer_check(&streamer) : streamer_run(&streamer);
        streamer_release(&streamer);
    }
    config_free(streamer.loaded);
    return code;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.command = COMMAND_RUN};
    struct err err;
    if (!read_arguments(argc, argv, &arguments, &err)) {
        (void)fputs(usage, stderr);
        log_fatal_line(&err);
        return err_exit_code(&err);
    }
    if (arguments.command == COMMAND_HELP)
        return print_help();
    if (arguments.command == COMMAND_VERSION) {
        version_print(stdout, "walferry-streamer");
        return 0;
    }
    struct config_sources sources = {
        .files = arguments.files, .sets = arguments.sets, .environment = environ};
    return run(&arguments, &sources);
}
