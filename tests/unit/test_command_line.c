#include "walferry/command_line.h"

#include "cmocka_all.h"

#include <getopt.h>

static const struct config_key keys[] = {{.name = NULL}};
static const struct config_table table = {.program = "test", .keys = keys};
static const struct command_line_program plain = {.name = "test", .about = "A test.", .table = &table};
static const struct command_line_program draining = {
    .name = "test", .about = "A test.", .table = &table, .drains = true};

/* getopt keeps its place in globals; 0 makes glibc begin anew. */
static int read_line(const struct command_line_program *program, char **argv, struct command_line *line)
{
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    optind = 0;
    return command_line_read(argc, argv, program, line);
}

#define READ(program, line, ...) read_line((program), (char *[]){(char[]){"test"}, __VA_ARGS__, NULL}, (line))
#define ARG(text) ((char[]){text})

static void reads_files_sets_and_commands(void **state)
{
    (void)state;
    struct command_line line;
    assert_int_equal(READ(&plain, &line, ARG("a.properties")), -1);
    assert_int_equal(line.command, COMMAND_RUN);
    assert_string_equal(line.files[0], "a.properties");
    assert_null(line.files[1]);
    assert_int_equal(
        READ(&plain, &line, ARG("--set"), ARG("x=1"), ARG("w"), ARG("--check"), ARG("--set=y=2"), ARG("c")),
        -1);
    assert_int_equal(line.command, COMMAND_CHECK);
    assert_string_equal(line.files[0], "w");
    assert_string_equal(line.files[1], "c");
    assert_string_equal(line.sets[0], "x=1");
    assert_string_equal(line.sets[1], "y=2");
    assert_null(line.sets[2]);
    assert_int_equal(READ(&draining, &line, ARG("--print-config"), ARG("--drain"), ARG("c")), -1);
    assert_int_equal(line.command, COMMAND_PRINT_CONFIG);
    assert_true(line.drain);
}

static void refuses_with_2(void **state)
{
    (void)state;
    struct command_line line;
    assert_int_equal(READ(&plain, &line, NULL), 2);
    assert_int_equal(READ(&plain, &line, ARG("a"), ARG("b"), ARG("c")), 2);
    assert_int_equal(READ(&plain, &line, ARG("--nonsense"), ARG("a")), 2);
    assert_int_equal(READ(&plain, &line, ARG("a"), ARG("--set")), 2);
    assert_int_equal(READ(&plain, &line, ARG("--drain"), ARG("a")), 2);
}

static void answers_help_and_version(void **state)
{
    (void)state;
    struct command_line line;
    assert_int_equal(READ(&plain, &line, ARG("--help")), 0);
    assert_int_equal(READ(&plain, &line, ARG("--version")), 0);
}

static void takes_many_sets_and_no_more(void **state)
{
    (void)state;
    static char set[] = "--set=a=b";
    static char file[] = "c";
    static char name[] = "test";
    char *argv[COMMAND_LINE_SETS_MAX + 4] = {name};
    struct command_line line;
    for (int i = 1; i <= COMMAND_LINE_SETS_MAX; i++)
        argv[i] = set;
    argv[COMMAND_LINE_SETS_MAX + 1] = file;
    assert_int_equal(read_line(&plain, argv, &line), -1);
    assert_non_null(line.sets[COMMAND_LINE_SETS_MAX - 1]);
    assert_null(line.sets[COMMAND_LINE_SETS_MAX]);
    argv[COMMAND_LINE_SETS_MAX + 2] = set;
    assert_int_equal(read_line(&plain, argv, &line), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files_sets_and_commands),
        cmocka_unit_test(refuses_with_2),
        cmocka_unit_test(answers_help_and_version),
        cmocka_unit_test(takes_many_sets_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
