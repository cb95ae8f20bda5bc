#include "config_fixture.h"

#include <string.h>

#define HOST "db.host=h\n"

static void defaults_hold_where_nothing_is_given(void **state)
{
    struct fixture *fixture = *state;
    fixture_load_text(fixture, HOST);
    assert_string_equal(fixture->settings.host, "h");
    assert_null(fixture->settings.password);
    assert_string_equal(fixture->settings.slot, "debezium");
    assert_false(fixture->settings.metadata);
    assert_int_equal(fixture->settings.interval_ms, 10000);
    assert_int_equal(fixture->settings.any, 0);
    assert_int_equal(fixture->settings.mode, 0);
    assert_string_equal(fixture->capture.text, "");
    assert_string_equal(config_get(fixture->config, "slot.name"), "debezium");
    assert_null(config_get(fixture->config, "db.password"));
    assert_false(config_is_set(fixture->config, "slot.name"));
    assert_true(config_is_set(fixture->config, "db.host"));
}

/* Debezium and Kafka trim all but strings and take enum names in any case. */
static void reads_every_type(void **state)
{
    struct fixture *fixture = *state;
    fixture_load_text(
        fixture, "db.host = a host \nprovide.transaction.metadata=TRUE\nstatus.update.interval.ms= 500 \n"
                 "any.number=-9223372036854775808\nsnapshot.mode=When_Needed\n");
    assert_string_equal(fixture->settings.host, "a host ");
    assert_true(fixture->settings.metadata);
    assert_int_equal(fixture->settings.interval_ms, 500);
    assert_int_equal(fixture->settings.any, INT64_MIN);
    assert_int_equal(fixture->settings.mode, 2);
}

static void bad_values_name_place_and_allowed(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {HOST "\n# x\nprovide.transaction.metadata=yes",
         "@:4: provide.transaction.metadata=yes: allowed true, false; correct the value or remove the key"},
        {HOST "snapshot.mode=sometimes", "@:2: snapshot.mode=sometimes: allowed initial, no_data, "
                                         "when_needed; correct the value or remove the key"},
        {HOST "status.update.interval.ms=0",
         "@:2: status.update.interval.ms=0: allowed 1 to 3600000; correct the value or remove the key"},
        {HOST "status.update.interval.ms=3600001",
         "@:2: status.update.interval.ms=3600001: allowed 1 to 3600000; correct the value or remove the key"},
        {HOST "status.update.interval.ms=10s",
         "@:2: status.update.interval.ms=10s: allowed 1 to 3600000; correct the value or remove the key"},
        {HOST "status.update.interval.ms=",
         "@:2: status.update.interval.ms=: allowed 1 to 3600000; correct the value or remove the key"},
        {HOST "any.number=9223372036854775808",
         "@:2: any.number=9223372036854775808: allowed a whole number; correct the value or remove the key"},
        {HOST "any.number=- 1",
         "@:2: any.number=- 1: allowed a whole number; correct the value or remove the key"},
        {HOST "signal.enabled.channels=source,kafka",
         "@:2: signal.enabled.channels=source,kafka: not supported; allowed only the default source, remove "
         "the key"},
        {HOST "transforms=unwrap",
         "@:2: transforms=unwrap: not supported; allowed no value but an empty one, remove the key"},
        {HOST "driver.socketTimeout=3",
         "@:2: driver.socketTimeout=3: not supported; allowed no value but an empty one, remove the key"},
        {"db.host=\n",
         "@:1: db.host is required (Host of the server.); set it in the connector file or with --set"},
        {"", "db.host is required (Host of the server.); set it in the connector file or with --set"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        fixture_refuses(*state, cases[i].text, cases[i].error);
}

static void unsupported_keys_may_have_their_default(void **state)
{
    fixture_load_text(*state, HOST "signal.enabled.channels=source\ntransforms=\n");
}

static void unknown_keys_are_warned_of_with_the_nearest(void **state)
{
    struct fixture *fixture = *state;
    fixture_load_text(fixture, HOST "slot.nmae=geheim\n");
    assert_non_null(strstr(fixture->capture.text,
                           "level=warn mod=config msg=\"unknown key, ignored\" key=slot.nmae at="));
    assert_non_null(strstr(fixture->capture.text, "connector.properties:2 nearest=slot.name\n"));
    assert_null(strstr(fixture->capture.text, "geheim"));
}

static void the_last_of_a_key_given_twice_holds(void **state)
{
    struct fixture *fixture = *state;
    fixture_load_text(fixture, HOST "slot.name=one\nslot.name=two\n");
    assert_string_equal(fixture->settings.slot, "two");
    assert_non_null(
        strstr(fixture->capture.text, "msg=\"key given twice, the last one holds\" key=slot.name"));
    assert_non_null(strstr(fixture->capture.text, "connector.properties:3 before="));
}

static void later_sources_win(void **state)
{
    struct fixture *fixture = *state;
    const char *const both[] = {fixture->path_a, fixture->path_b, NULL};
    const char *const sets[] = {"slot.name=set=x", NULL};
    char plain[] = "TARGET_DB_HOST=plain";
    char host[] = "WALFERRY_DB_HOST=environment";
    char slot[] = "WALFERRY_SLOT_NAME=environment";
    char empty[] = "TARGET_DB_HOST=";
    char *environment[] = {slot, plain, NULL};
    char *environment_both[] = {host, plain, NULL};
    char *environment_empty[] = {empty, NULL};
    (void)fixture_write(fixture, "worker.properties", "db.host=worker\nslot.name=worker\n");
    (void)fixture_write(fixture, "connector.properties", "slot.name=connector\n");

    struct config_sources sources = {.files = both};
    assert_true(fixture_load(fixture, &sources));
    assert_string_equal(fixture->settings.host, "worker");
    assert_string_equal(fixture->settings.slot, "connector");
    assert_string_equal(fixture->capture.text, ""); /* one name in two files is no duplicate */

    sources.environment = environment;
    assert_true(fixture_load(fixture, &sources));
    assert_string_equal(fixture->settings.host, "plain");
    assert_string_equal(fixture->settings.slot, "environment");

    sources.sets = sets;
    assert_true(fixture_load(fixture, &sources));
    assert_string_equal(fixture->settings.slot, "set=x");

    sources.environment = environment_both;
    assert_true(fixture_load(fixture, &sources));
    assert_string_equal(fixture->settings.host, "environment");

    sources.environment = environment_empty; /* a compose file's way to say "not given" */
    assert_true(fixture_load(fixture, &sources));
    assert_string_equal(fixture->settings.host, "worker");
}

static void environment_names_spell_keys(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *variable, *key, *value;
    } cases[] = {
        {"WALFERRY_STATUS_UPDATE_INTERVAL_MS=77", "status.update.interval.ms", "77"},
        {"WALFERRY_WALFERRY_LOCAL_PATH=/a", "walferry.local.path", "/a"},
        {"WALFERRY_LOCAL_PATH=/b", "walferry.local.path", "/b"},
        {"WALFERRY_PRODUCER_LINGER_MS=5", "producer.linger.ms", "5"},
        {"WALFERRY_SLOT_NMAE=x", "slot.nmae", "x"},
    };
    const char *const files[] = {fixture_write(fixture, "connector.properties", HOST), NULL};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char variable[128];
        char *environment[] = {variable, NULL};
        (void)snprintf(variable, sizeof(variable), "%s", cases[i].variable);
        assert_true(
            fixture_load(fixture, &(struct config_sources){.files = files, .environment = environment}));
        assert_string_equal(config_get(fixture->config, cases[i].key), cases[i].value);
    }
    assert_non_null(
        strstr(fixture->capture.text, "at=\"environment WALFERRY_SLOT_NMAE\" nearest=WALFERRY_SLOT_NAME"));
}

static void bad_values_name_environment_and_set(void **state)
{
    struct fixture *fixture = *state;
    const char *const files[] = {fixture_write(fixture, "connector.properties", HOST), NULL};
    char variable[] = "WALFERRY_SNAPSHOT_MODE=x";
    char *environment[] = {variable, NULL};
    const char *const bad_set[] = {"snapshot.mode=x", NULL};
    const char *const no_value[] = {"snapshot.mode", NULL};
    assert_false(fixture_load(fixture, &(struct config_sources){.files = files, .environment = environment}));
    assert_memory_equal(fixture->err.text, "environment WALFERRY_SNAPSHOT_MODE: snapshot.mode=x: allowed ",
                        60);
    assert_false(fixture_load(fixture, &(struct config_sources){.files = files, .sets = bad_set}));
    assert_memory_equal(fixture->err.text, "--set: snapshot.mode=x: allowed ", 32);
    assert_false(fixture_load(fixture, &(struct config_sources){.files = files, .sets = no_value}));
    assert_string_equal(fixture->err.text, "--set snapshot.mode: allowed KEY=VALUE");
}

static void files_that_cannot_be_read_are_named(void **state)
{
    struct fixture *fixture = *state;
    static char large[(1 << 20) + 2];
    const char *const missing[] = {"/nonexistent/x.properties", NULL};
    const char *const directory[] = {fixture->directory, NULL};
    const char *const connector[] = {fixture->path_b, NULL};
    assert_false(fixture_load(fixture, &(struct config_sources){.files = missing}));
    assert_string_equal(
        fixture->err.text,
        "/nonexistent/x.properties: No such file or directory; give a file that this user can read");
    assert_int_equal(fixture->err.action, ERR_USAGE);
    assert_false(fixture_load(fixture, &(struct config_sources){.files = directory}));
    assert_non_null(strstr(fixture->err.text, ": is a directory; give a file"));
    memset(large, '#', sizeof(large) - 1);
    (void)fixture_write(fixture, "connector.properties", large);
    assert_false(fixture_load(fixture, &(struct config_sources){.files = connector}));
    assert_non_null(strstr(fixture->err.text, ": longer than 1048576 bytes"));
}

static void count_property(void *data, const char *name, const char *value)
{
    buf_printf(data, "%s=%s;", name, value);
}

static void properties_under_a_prefix_are_kept(void **state)
{
    struct fixture *fixture = *state;
    fixture_load_text(fixture, HOST "producer.linger.ms=5\nproducer.acks=all\n");
    config_each(fixture->config, "producer.", count_property, &fixture->out);
    assert_string_equal(buf_text(&fixture->out), "linger.ms=5;acks=all;");
    assert_string_equal(config_get(fixture->config, "producer.acks"), "all");
    assert_null(config_get(fixture->config, "producer.unset"));
    assert_string_equal(fixture->capture.text, "");
}

static void prints_the_effective_values_in_table_order(void **state)
{
    struct fixture *fixture = *state;
    fixture_load_text(fixture,
                      "producer.sasl.jaas.config=geheim\nproducer.acks=all\nname=n\ndb.password=geheim\n"
                      "connection.url=postgresql://u:geheim@h:1/d?a=b:c@d&password=geheim&x=y\n"
                      "slot.name=a\\\\b\\nc\n" HOST);
    config_print(fixture->config, &fixture->out);
    assert_string_equal(buf_text(&fixture->out),
                        "name=n\n"
                        "db.host=h\n"
                        "db.password=********\n"
                        "slot.name=a\\\\b\\nc\n"
                        "walferry.local.path=./walferry.db\n"
                        "connection.url=postgresql://u:********@h:1/d?a=b:c@d&password=********&x=y\n"
                        "provide.transaction.metadata=false\n"
                        "status.update.interval.ms=10000\n"
                        "snapshot.mode=initial\n"
                        "producer.sasl.jaas.config=********\n"
                        "producer.acks=all\n");
}

static void writes_the_documents_by_group(void **state)
{
    struct fixture *fixture = *state;
    config_write_docs(&fixture_table, &fixture->out);
    const char *docs = buf_text(&fixture->out);
    static const char *const lines[] = {
        "## walferry-test\n",
        "### Source\n\n| key | default | allowed |",
        "| meaning | reloadable |\n| --- |",
        "| `db.host` | required | text |  | Host of the server. | no |\n",
        "| `db.password` | unset | text |  | Password. Never shown. | yes |\n",
        "| `status.update.interval.ms` | `10000` | 1 to 3600000 | ms | Pause. |",
        "| `snapshot.mode` | `initial` | initial, no_data, when_needed |  | Mode. | no |\n",
        "| `producer.`* | unset | text |  | Passed on. | no |\n",
        "| `TARGET_DB_HOST` | `db.host` |\n",
        "(in parentheses): `signal.enabled.channels` (`source`), `transforms`, `driver.`*.\n",
        "without meaning here\n\n`name`, `config.providers`*.\n",
    };
    const char *at = docs;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        assert_non_null(strstr(docs, lines[i]));
    for (int sources = 0; (at = strstr(at, "### Source\n")) != NULL; at++)
        assert_int_equal(sources++, 0); /* one table per group, although its rows lie apart */
    buf_clear(&fixture->out);
    config_write_help(&fixture_table, &fixture->out);
    assert_non_null(strstr(buf_text(&fixture->out), "  slot.name = debezium\n      Slot.\n"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(defaults_hold_where_nothing_is_given),
        TEST(reads_every_type),
        TEST(bad_values_name_place_and_allowed),
        TEST(unsupported_keys_may_have_their_default),
        TEST(unknown_keys_are_warned_of_with_the_nearest),
        TEST(the_last_of_a_key_given_twice_holds),
        TEST(later_sources_win),
        TEST(environment_names_spell_keys),
        TEST(bad_values_name_environment_and_set),
        TEST(files_that_cannot_be_read_are_named),
        TEST(properties_under_a_prefix_are_kept),
        TEST(prints_the_effective_values_in_table_order),
        TEST(writes_the_documents_by_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
