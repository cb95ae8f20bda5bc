#include "walferry/log.h"

#include "capture.h"
#include "cmocka_all.h"

#include <limits.h>
#include <math.h>
#include <regex.h>
#include <sys/wait.h>
#include <yyjson.h>

static struct capture capture;

/* The captured line behind its time stamp. */
static const char *after_timestamp(const char *line)
{
    regex_t pattern;
    regmatch_t match;
    const char *text =
        "^(ts=|\\{\"ts\":\")[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z\"?";
    assert_int_equal(regcomp(&pattern, text, REG_EXTENDED), 0);
    assert_int_equal(regexec(&pattern, line, 1, &match, 0), 0);
    regfree(&pattern);
    return line + match.rm_eo;
}

static const char *line_of(enum log_format format, struct log_field field)
{
    log_set(LOG_INFO, format);
    capture_start(&capture);
    log_info("test", "a message", field);
    return after_timestamp(capture_stop(&capture));
}

/* What Go's logfmt readers and a JSON parser take: bare words, else a quoted string with JSON's escapes. */
static const struct {
    struct log_field field;
    const char *logfmt, *json;
} fields[] = {
    {{.key = "k", .kind = LOG_FIELD_STR, .text = "plain-word_1.5/x"},
     "k=plain-word_1.5/x",
     "\"k\":\"plain-word_1.5/x\""},
    {{.key = "k", .kind = LOG_FIELD_STR, .text = ""}, "k=\"\"", "\"k\":\"\""},
    {{.key = "k", .kind = LOG_FIELD_STR, .text = NULL}, "k=\"\"", "\"k\":\"\""},
    {{.key = "k", .kind = LOG_FIELD_STR, .text = "two words"}, "k=\"two words\"", "\"k\":\"two words\""},
    {{.key = "k", .kind = LOG_FIELD_STR, .text = "a=b"}, "k=\"a=b\"", "\"k\":\"a=b\""},
    {{.key = "k", .kind = LOG_FIELD_STR, .text = "say \"hi\""},
     "k=\"say \\\"hi\\\"\"",
     "\"k\":\"say \\\"hi\\\"\""},
    {{.key = "k", .kind = LOG_FIELD_STR, .text = "back\\slash"},
     "k=\"back\\\\slash\"",
     "\"k\":\"back\\\\slash\""},
    {{.key = "k", .kind = LOG_FIELD_STR, .text = "a\nb\tc\rd\x1b[0m\x7f"},
     "k=\"a\\nb\\tc\\rd\\u001b[0m\\u007f\"",
     "\"k\":\"a\\nb\\tc\\rd\\u001b[0m\\u007f\""},
    {{.key = "k", .kind = LOG_FIELD_STR, .text = "Zürich €𝄞"}, "k=\"Zürich €𝄞\"", "\"k\":\"Zürich €𝄞\""},
    /* no UTF-8: stray byte, overlong slash, surrogate, above U+10FFFF, cut character */
    {{.key = "k", .kind = LOG_FIELD_STR, .text = "a\xff\x62"}, "k=\"a\\ufffdb\"", "\"k\":\"a\\ufffdb\""},
    {{.key = "k", .kind = LOG_FIELD_STR, .text = "\xc0\xaf"},
     "k=\"\\ufffd\\ufffd\"",
     "\"k\":\"\\ufffd\\ufffd\""},
    {{.key = "k", .kind = LOG_FIELD_STR, .text = "\xe0\x80\xaf"},
     "k=\"\\ufffd\\ufffd\\ufffd\"",
     "\"k\":\"\\ufffd\\ufffd\\ufffd\""},
    {{.key = "k", .kind = LOG_FIELD_STR, .text = "\xed\xa0\x80"},
     "k=\"\\ufffd\\ufffd\\ufffd\"",
     "\"k\":\"\\ufffd\\ufffd\\ufffd\""},
    {{.key = "k", .kind = LOG_FIELD_STR, .text = "\xf4\x90\x80\x80"},
     "k=\"\\ufffd\\ufffd\\ufffd\\ufffd\"",
     "\"k\":\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
    {{.key = "k", .kind = LOG_FIELD_STR, .text = "x\xe2\x82"},
     "k=\"x\\ufffd\\ufffd\"",
     "\"k\":\"x\\ufffd\\ufffd\""},
    {{.key = "k", .kind = LOG_FIELD_SLICE, .slice = {"slice and more", 5}}, "k=slice", "\"k\":\"slice\""},
    {{.key = "k", .kind = LOG_FIELD_SLICE, .slice = {"a\0b", 3}}, "k=\"a\\u0000b\"", "\"k\":\"a\\u0000b\""},
    {{.key = "k", .kind = LOG_FIELD_INT, .number = INT64_MIN},
     "k=-9223372036854775808",
     "\"k\":-9223372036854775808"},
    {{.key = "k", .kind = LOG_FIELD_FLOAT, .real = 12.5}, "k=12.5", "\"k\":12.5"},
    {{.key = "k", .kind = LOG_FIELD_FLOAT, .real = NAN}, "k=nan", "\"k\":\"nan\""},
    {{.key = "k", .kind = LOG_FIELD_LSN, .number = 0x16B374D848}, "k=16/B374D848", "\"k\":\"16/B374D848\""},
};

static void quotes_logfmt_values(void **state)
{
    (void)state;
    char expected[256];
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        (void)snprintf(expected, sizeof(expected), " level=info mod=test msg=\"a message\" %s\n",
                       fields[i].logfmt);
        assert_string_equal(line_of(LOG_LOGFMT, fields[i].field), expected);
    }
}

static void writes_json_that_a_parser_reads(void **state)
{
    (void)state;
    char expected[256];
    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        (void)snprintf(expected, sizeof(expected),
                       ",\"level\":\"info\",\"mod\":\"test\",\"msg\":\"a message\",%s}\n", fields[i].json);
        assert_string_equal(line_of(LOG_JSON, fields[i].field), expected);
        yyjson_doc *doc = yyjson_read(capture.text, strlen(capture.text), 0);
        assert_non_null(doc);
        yyjson_doc_free(doc);
    }
}

static void needs_no_fields_and_keeps_their_order(void **state)
{
    (void)state;
    log_set(LOG_INFO, LOG_LOGFMT);
    capture_start(&capture);
    log_warn("m", "alone");
    assert_string_equal(after_timestamp(capture_stop(&capture)), " level=warn mod=m msg=alone\n");

    capture_start(&capture);
    log_error("m", "x", LOG_STR("slot", "w f"), LOG_INT("n", 3), LOG_LSN("lsn", 1));
    assert_string_equal(after_timestamp(capture_stop(&capture)),
                        " level=error mod=m msg=x slot=\"w f\" n=3 lsn=0/1\n");
}

static void leaves_out_lower_levels(void **state)
{
    (void)state;
    log_set(LOG_WARN, LOG_LOGFMT);
    capture_start(&capture);
    log_debug("m", "no");
    log_info("m", "no");
    log_warn("m", "yes");
    log_error("m", "yes");
    const char *text = capture_stop(&capture);
    assert_null(strstr(text, "msg=no"));
    assert_non_null(strstr(text, "level=warn mod=m msg=yes"));
    assert_non_null(strstr(text, "level=error mod=m msg=yes"));
}

static void long_lines_stay_atomic(void **state)
{
    (void)state;
    static char wide[3000];
    memset(wide, '"', sizeof(wide) - 1); /* each becomes two bytes */
    for (enum log_format format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        log_set(LOG_INFO, format);
        capture_start(&capture);
        log_info("m", "x", LOG_STR("a", wide), LOG_STR("b", wide), LOG_INT("c", 1));
        const char *line = capture_stop(&capture);
        assert_true(strlen(line) <= PIPE_BUF);
        assert_true(strlen(line) > 2000);
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
        assert_non_null(strstr(line, format == LOG_JSON ? ",\"cut\":true}\n" : " cut=true\n"));
    }
    yyjson_doc *doc = yyjson_read(capture.text, strlen(capture.text), 0);
    assert_non_null(doc);
    yyjson_doc_free(doc);
}

/* Two processes write to one pipe: every line comes out whole. */
static void lines_of_two_processes_never_mix(void **state)
{
    (void)state;
    enum { LINES = 200 };
    static char payload[600];
    memset(payload, 'x', sizeof(payload) - 1);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    log_set(LOG_INFO, LOG_LOGFMT);
    for (int child = 0; child < 2; child++) {
        if (fork() == 0) {
            (void)dup2(ends[1], STDERR_FILENO);
            (void)close(ends[0]);
            (void)close(ends[1]);
            for (int i = 0; i < LINES; i++)
                log_info("m", "x", LOG_STR("p", payload));
            _exit(0);
        }
    }
    (void)close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    char line[4096];
    int count = 0;
    size_t len = 0;
    while (fgets(line, sizeof(line), in) != NULL) {
        len = len == 0 ? strlen(line) : len;
        assert_int_equal(strlen(line), len);
        assert_memory_equal(line, "ts=", 3);
        count++;
    }
    (void)fclose(in);
    while (wait(NULL) > 0)
        ;
    assert_int_equal(count, 2 * LINES);
}

static void errors_carry_code_and_level(void **state)
{
    (void)state;
    struct err err;
    (void)err_set(&err, ERR_CONNECT, "no route to \"db\"");
    memcpy(err.sqlstate, "08006", 6);
    log_set(LOG_INFO, LOG_LOGFMT);
    capture_start(&capture);
    log_err("pg", "connection lost", &err);
    assert_string_equal(after_timestamp(capture_stop(&capture)),
                        " level=warn mod=pg msg=\"connection lost\" code=connect sqlstate=08006 "
                        "error=\"no route to \\\"db\\\"\"\n");
    (void)err_set(&err, ERR_AUTH, "refused");
    err.sqlstate[0] = '\0';
    capture_start(&capture);
    log_err("pg", "stop", &err);
    assert_string_equal(after_timestamp(capture_stop(&capture)),
                        " level=error mod=pg msg=stop code=auth error=refused\n");
}

static void the_last_line_is_one_line(void **state)
{
    (void)state;
    struct err err;
    (void)err_set(&err, ERR_SQL, "first\nsecond");
    capture_start(&capture);
    log_fatal_line(&err);
    assert_string_equal(capture_stop(&capture), "error: first second\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_logfmt_values),
        cmocka_unit_test(writes_json_that_a_parser_reads),
        cmocka_unit_test(needs_no_fields_and_keeps_their_order),
        cmocka_unit_test(leaves_out_lower_levels),
        cmocka_unit_test(long_lines_stay_atomic),
        cmocka_unit_test(lines_of_two_processes_never_mix),
        cmocka_unit_test(errors_carry_code_and_level),
        cmocka_unit_test(the_last_line_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
