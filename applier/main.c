#define _GNU_SOURCE /* environ */

#include "applier.h"
#include "check.h"

#include "walferry/log.h"
#include "walferry/version.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SETS_MAX 256
#define FILES_MAX 2

enum mode { MODE_RUN, MODE_CHECK, MODE_PRINT_CONFIG };

struct arguments {
    enum mode mode;
    bool drain;
    const char *sets[SETS_MAX + 1];
    size_t set_count;
    const char *files[FILES_MAX + 1];
};

static const char usage[] =
    "usage: walferry-applier [--check|--print-config] [--drain] [--set KEY=VALUE]...\n"
    "                        [WORKER.properties] CONNECTOR.{properties,json}\n"
    "       walferry-applier --help | --version\n"
    "\n"
    "Applies the changes that walferry-streamer publishes to a PostgreSQL database,\n"
    "whole transactions, each exactly once.\n"
    "\n"
    "  --check          look at everything a start needs, one line each; change nothing\n"
    "  --print-config   the effective configuration, secrets hidden\n"
    "  --drain          apply what is stored now, then exit with 0\n"
    "  --set KEY=VALUE  overrules the files and the environment\n";

static void print_help(void)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    config_write_help(&applier_config_table, &text);
    (void)printf("%s\n%s", usage, buf_text(&text));
    buf_release(&text);
}

static int usage_error(const char *format, const char *what)
{
    struct err err;
    (void)err_set(&err, ERR_CONFIG, "%s", format);
    if (what != NULL)
        (void)err_prefix(&err, "%s", what);
    (void)fputs(usage, stderr);
    log_fatal_line(&err);
    return 2;
}

/* -1: go on; else the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"check", no_argument, NULL, 'c'},
        {"print-config", no_argument, NULL, 'p'},
        {"drain", no_argument, NULL, 'd'},
        {"set", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            arguments->mode = MODE_CHECK;
            break;
        case 'p':
            arguments->mode = MODE_PRINT_CONFIG;
            break;
        case 'd':
            arguments->drain = true;
            break;
        case 's':
            if (arguments->set_count == SETS_MAX)
                return usage_error("too many --set", NULL);
            arguments->sets[arguments->set_count++] = optarg;
            break;
        case 'h':
            print_help();
            return 0;
        case 'v':
            version_print(stdout, "walferry-applier");
            return 0;
        case ':':
            return usage_error("this option needs a value", argv[optind - 1]);
        default:
            return usage_error("no such option", argv[optind - 1]);
        }
    }
    if (argc - optind < 1 || argc - optind > FILES_MAX)
        return usage_error("one or two configuration files are needed", NULL);
    for (int i = optind; i < argc; i++)
        arguments->files[i - optind] = argv[i];
    return -1;
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

int main(int argc, char **argv)
{
    struct arguments arguments = {.mode = MODE_RUN};
    struct applier_config target;
    struct config *config = NULL;
    struct err err;
    int code = read_arguments(argc, argv, &arguments);
    if (code >= 0)
        return code;
    struct config_sources sources = {arguments.files, arguments.sets, environ};
    if (!applier_config_load(&sources, &target, &config, &err)) {
        log_fatal_line(&err);
        return err_exit_code(&err);
    }
    if (arguments.mode == MODE_CHECK)
        code = check_run(&target);
    else if (arguments.mode == MODE_PRINT_CONFIG)
        code = print_config(config);
    else
        code = applier_run(&target, &sources, arguments.drain);
    applier_config_release(&target);
    config_free(config);
    return code;
}
