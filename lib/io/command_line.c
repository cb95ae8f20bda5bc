#include "walferry/command_line.h"

#include "walferry/log.h"
#include "walferry/version.h"

#include <getopt.h>
#include <stdio.h>

#define TEXT_BYTES_MAX (1 << 20)

static const struct option options[] = {
    {"check", no_argument, NULL, 'c'},
    {"print-config", no_argument, NULL, 'p'},
    {"drain", no_argument, NULL, 'd'},
    {"set", required_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},
    {NULL, 0, NULL, 0},
};

static void print_usage(FILE *out, const struct command_line_program *program)
{
    (void)fprintf(out,
                  "usage: %s [--check|--print-config]%s [--set KEY=VALUE]...\n"
                  "           [WORKER.properties] CONNECTOR.{properties,json}\n"
                  "       %s --help | --version\n",
                  program->name, program->drains ? " [--drain]" : "", program->name);
}

static int print_help(const struct command_line_program *program)
{
    struct buf keys;
    print_usage(stdout, program);
    (void)printf("\n%s\n\n"
                 "  --check          look at everything a start needs, one line each; change nothing\n"
                 "  --print-config   the effective configuration, secrets hidden\n"
                 "%s"
                 "  --set KEY=VALUE  overrules the files and the environment\n\n",
                 program->about,
                 program->drains ? "  --drain          apply what is stored now, then exit with 0\n" : "");
    buf_init(&keys, TEXT_BYTES_MAX);
    config_write_help(program->table, &keys);
    (void)fputs(buf_text(&keys), stdout);
    buf_release(&keys);
    return 0;
}

static int usage_error(const struct command_line_program *program, struct err *err)
{
    print_usage(stderr, program);
    log_fatal_line(err);
    return err_exit_code(err);
}

static int unknown_option(const struct command_line_program *program, const char *argument)
{
    struct err err;
    (void)err_set(&err, ERR_CONFIG, "option \"%s\": unknown, or without its value; see --help", argument);
    return usage_error(program, &err);
}

static int read_files(int argc, char **argv, const struct command_line_program *program,
                      struct command_line *line)
{
    int count = argc - optind;
    struct err err;
    if (count < 1 || count > COMMAND_LINE_FILES_MAX) {
        (void)err_set(&err, ERR_CONFIG,
                      "one or two configuration files are expected, %d were given; see --help", count);
        return usage_error(program, &err);
    }
    for (int i = 0; i < count; i++)
        line->files[i] = argv[optind + i];
    return -1;
}

static int add_set(const struct command_line_program *program, struct command_line *line, size_t *count)
{
    struct err err;
    if (*count < COMMAND_LINE_SETS_MAX) {
        line->sets[(*count)++] = optarg;
        return -1;
    }
    (void)err_set(&err, ERR_CONFIG, "more than %d --set", COMMAND_LINE_SETS_MAX);
    return usage_error(program, &err);
}

/* -1 to go on. */
static int take_option(int option, char **argv, const struct command_line_program *program,
                       struct command_line *line)
{
    switch (option) {
    case 'c':
        line->command = COMMAND_CHECK;
        return -1;
    case 'p':
        line->command = COMMAND_PRINT_CONFIG;
        return -1;
    case 'h':
        return print_help(program);
    case 'v':
        version_print(stdout, program->name);
        return 0;
    case 'd':
        line->drain = true;
        if (program->drains)
            return -1;
        break;
    default:
        break;
    }
    return unknown_option(program, argv[optind - 1]);
}

int command_line_read(int argc, char **argv, const struct command_line_program *program,
                      struct command_line *line)
{
    size_t sets = 0;
    int option;
    *line = (struct command_line){.command = COMMAND_RUN};
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        int code = option == 's' ? add_set(program, line, &sets) : take_option(option, argv, program, line);
        if (code >= 0)
            return code;
    }
    return read_files(argc, argv, program, line);
}

int command_line_print_config(const struct config *config)
{
    struct buf text;
    buf_init(&text, TEXT_BYTES_MAX);
    config_print(config, &text);
    (void)fputs(buf_text(&text), stdout);
    buf_release(&text);
    return 0;
}
