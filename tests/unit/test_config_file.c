#include "config_fixture.h"

#include <string.h>

/* ---- JSON, as one posts it to Connect */

static bool load_json(struct fixture *fixture, const char *text)
{
    const char *const files[] = {fixture_write(fixture, "connector.json", text), NULL};
    return fixture_load(fixture, &(struct config_sources){.files = files});
}

static void reads_both_forms_of_json(void **state)
{
    struct fixture *fixture = *state;
    static const char *const texts[] = {
        "{\"name\":\"n\",\"db.host\":\"h\\u00e9\",\"any.number\":123456789012345678,"
        "\"provide.transaction.metadata\":true,\"slot.name\":null}",
        "{\"name\":\"n\",\"config\":{\"name\":\"n\",\"db.host\":\"h\\u00e9\",\"any.number\":"
        "\"123456789012345678\",\n"
        "\"provide.transaction.metadata\":\"true\"}}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        assert_true(load_json(fixture, texts[i]));
        assert_string_equal(fixture->capture.text, "");
        assert_string_equal(config_get(fixture->config, "name"), "n");
        assert_string_equal(fixture->settings.host, "hé");
        assert_string_equal(fixture->settings.slot, "debezium");
        assert_int_equal(fixture->settings.any, 123456789012345678);
        assert_true(fixture->settings.metadata);
    }
}

static void refuses_json_that_is_no_flat_map(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"{\"db.host\":\"h\",\n\n\"slot.name\":[\"a\"]}",
         ":3: slot.name: allowed a string, a number, true or false; write lists as one string"},
        {"{\"config\":{\"db.host\":\"h\",\n\"slot.name\":{}}}", ":2: slot.name: allowed a string, a number"},
        {"{\"db.host\":\"h\",\n\"slot.name\"}", ":2: not JSON: "},
        {"[1]", ":1: allowed a JSON object"},
        {"", ":1: not JSON: "},
        {"{\"db.host\":\"h\\u0000\"}", ":1: a NUL character is not allowed"},
        {"{\"db.host\":\"h\",\"any.number\":1.5}", ":1: any.number=1.5: allowed a whole number"},
        {"{\"db.host\":\"\\ud800\"}", ":1: not JSON: "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_false(load_json(fixture, cases[i].text));
        assert_int_equal(fixture->err.code, ERR_CONFIG);
        if (strstr(fixture->err.text, cases[i].error) == NULL)
            fail_msg("%s", fixture->err.text);
    }
}

static void json_is_found_by_its_brace_too(void **state)
{
    struct fixture *fixture = *state;
    fixture_load_text(fixture, " \n{\"db.host\": \"h\"}");
    assert_string_equal(fixture->settings.host, "h");
}

static void duplicates_in_json_are_warned_of(void **state)
{
    struct fixture *fixture = *state;
    assert_true(load_json(fixture, "{\"db.host\":\"a\",\n\"db.host\":\"b\"}"));
    assert_string_equal(fixture->settings.host, "b");
    assert_non_null(strstr(fixture->capture.text, "connector.json:2 before="));
}

static void text_cut_anywhere_is_refused_or_read(void **state)
{
    struct fixture *fixture = *state;
    static const char json[] = "{\"name\":\"n\",\"config\":{\"db.host\":\"h\\u00e9\",\"any.number\":12}}";
    static const char properties[] = "db.host=h\\u00e9\\\n  x\nany.number : 12\n";
    char cut[128];
    for (size_t len = 0; len < sizeof(json); len++) {
        (void)snprintf(cut, sizeof(cut), "%.*s", (int)len, json);
        assert_int_equal(load_json(fixture, cut), len == sizeof(json) - 1);
    }
    for (size_t len = 0; len < sizeof(properties); len++) {
        const char *const files[] = {fixture->path_b, NULL};
        (void)snprintf(cut, sizeof(cut), "%.*s", (int)len, properties);
        (void)fixture_write(fixture, "connector.properties", cut);
        if (!fixture_load(fixture, &(struct config_sources){.files = files}))
            assert_int_equal(fixture->err.code, ERR_CONFIG);
    }
    assert_string_equal(fixture->settings.host, "héx");
}

static void a_broken_escape_names_file_and_line(void **state)
{
    struct fixture *fixture = *state;
    const char *const files[] = {
        fixture_write(fixture, "connector.properties", "db.host=h\nslot.name=\\u12\n"), NULL};
    assert_false(fixture_load(fixture, &(struct config_sources){.files = files}));
    assert_memory_equal(fixture->err.text, fixture->path_b, strlen(fixture->path_b));
    assert_non_null(strstr(fixture->err.text, "2"));
}

/* ---- ${…} */

static void providers_fill_values(void **state)
{
    struct fixture *fixture = *state;
    char text[1024], secret[] = "MY_SECRET=from${env:MY_SECRET}";
    char *environment[] = {secret, NULL};
    (void)fixture_write(fixture, "secrets.properties", "pw=first\npw = s3cret\nhost=db1\n");
    (void)fixture_write(fixture, "token", "whole\nfile");
    (void)snprintf(
        text, sizeof(text),
        "db.host=${file:%s/secrets.properties:host}.example\n"
        "db.password=${vault:%s/secrets.properties:pw}\n"
        "slot.name=${env:MY_SECRET}\n"
        "walferry.local.path=${k8s:%s:token}\n"
        "connection.url=${topic} ${source.schema} ${nobody:x} ${ $x ${\n"
        "config.providers=vault, k8s\n"
        "config.providers.vault.class=org.apache.kafka.common.config.provider.FileConfigProvider\n"
        "config.providers.k8s.class=org.apache.kafka.common.config.provider.DirectoryConfigProvider\n",
        fixture->directory, fixture->directory, fixture->directory);
    const char *const files[] = {fixture_write(fixture, "connector.properties", text), NULL};
    if (!fixture_load(fixture, &(struct config_sources){.files = files, .environment = environment}))
        fail_msg("%s", fixture->err.text);
    assert_string_equal(fixture->settings.host, "db1.example");
    assert_string_equal(fixture->settings.password, "s3cret");
    assert_string_equal(fixture->settings.slot, "from${env:MY_SECRET}"); /* not expanded again */
    assert_string_equal(fixture->settings.path, "whole\nfile");
    assert_string_equal(fixture->settings.url, "${topic} ${source.schema} ${nobody:x} ${ $x ${");
    config_print(fixture->config, &fixture->out);
    assert_null(strstr(buf_text(&fixture->out), "s3cret"));
    assert_non_null(strstr(buf_text(&fixture->out), "db.password=********\n"));
    assert_non_null(strstr(buf_text(&fixture->out), "db.host=db1.example\n"));
}

static void a_declared_name_may_be_a_plain_one(void **state)
{
    struct fixture *fixture = *state;
    char variable[] = "X=1";
    char *environment[] = {variable, NULL};
    const char *const files[] = {
        fixture_write(
            fixture, "connector.properties",
            "db.host=${file:X}\nconfig.providers=file\n"
            "config.providers.file.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\n"),
        NULL};
    assert_true(fixture_load(fixture, &(struct config_sources){.files = files, .environment = environment}));
    assert_string_equal(fixture->settings.host, "1");
}

static void references_that_lead_nowhere_are_refused(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"db.host=h\ndb.password=${env:NO_SUCH_VARIABLE}",
         "@:2: db.password: ${env:NO_SUCH_VARIABLE}: the environment has no such variable; set it"},
        {"db.host=${env:A:B}", "@:1: db.host: ${env:A:B}: allowed ${env:NAME}"},
        {"db.host=${file:/nonexistent:k}", "@:1: db.host: ${file:/nonexistent:k}: No such file or directory; "
                                           "give a file that this user can read"},
        {"db.host=${file:/dev/null:k}",
         "@:1: db.host: ${file:/dev/null:k}: no such key in the file; add it there"},
        {"db.host=${dir:/tmp:../etc/passwd}",
         "@:1: db.host: ${dir:/tmp:../etc/passwd}: allowed ${dir:DIRECTORY:FILE}, FILE without a slash"},
        {"db.host=${dir:/:tmp}", "@:1: db.host: ${dir:/:tmp}: is a directory; give a file"},
        {"db.host=${v:a:b}\nconfig.providers=v\nconfig.providers.v.class=com.example.Vault",
         "@:1: db.host: ${v:a:b}: allowed classes of a provider: FileConfigProvider, EnvVarConfigProvider, "
         "DirectoryConfigProvider; set config.providers.NAME.class"},
        {"db.host=${file:/dev/null:k}\nconfig.providers=file\n"
         "config.providers.file.class=FileConfigProvider\nconfig.providers.file.param.allowed.paths=/tmp,/"
         "etc",
         "@:1: db.host: ${file:/dev/null:k}: outside the provider's allowed.paths; move the file or allow "
         "it"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        fixture_refuses(fixture, cases[i].text, cases[i].error);
}

static void providers_keep_to_what_they_may_read(void **state)
{
    struct fixture *fixture = *state;
    char text[1024], allowed[] = "APP_HOST=h", refused[] = "OTHER=x";
    char *environment[] = {allowed, refused, NULL};
    (void)fixture_write(fixture, "s.properties", "k=v\n");
    (void)snprintf(text, sizeof(text),
                   "db.host=${file:%s/s.properties:k}\nconfig.providers=file\n"
                   "config.providers.file.class=FileConfigProvider\n"
                   "config.providers.file.param.allowed.paths=/nonexistent,%s",
                   fixture->directory, fixture->directory);
    fixture_load_text(fixture, text);
    assert_string_equal(fixture->settings.host, "v");

    for (int i = 0; i < 2; i++) {
        (void)snprintf(
            text, sizeof(text),
            "db.host=${env:%s}\nconfig.providers=env\nconfig.providers.env.class=EnvVarConfigProvider\n"
            "config.providers.env.param.allowlist.pattern=APP_.*|X",
            i == 0 ? "APP_HOST" : "OTHER");
        const char *const files[] = {fixture_write(fixture, "connector.properties", text), NULL};
        bool ok = fixture_load(fixture, &(struct config_sources){.files = files, .environment = environment});
        assert_int_equal(ok, i == 0);
    }
    assert_non_null(strstr(fixture->err.text, "${env:OTHER}: not in the provider's allowlist.pattern"));
}

/* What a provider gave never reaches an error, whatever the key. */
static void errors_never_show_what_a_provider_gave(void **state)
{
    struct fixture *fixture = *state;
    char variable[] = "PW=s3cret";
    char *environment[] = {variable, NULL};
    static const char *const texts[] = {
        "db.host=h\nsnapshot.mode=${env:PW}",
        "db.host=h\ntransforms=${env:PW}",
        "db.host=h\ndriver.password=s3cret",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        const char *const files[] = {fixture_write(fixture, "connector.properties", texts[i]), NULL};
        assert_false(
            fixture_load(fixture, &(struct config_sources){.files = files, .environment = environment}));
        assert_null(strstr(fixture->err.text, "s3cret"));
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(reads_both_forms_of_json),
        TEST(refuses_json_that_is_no_flat_map),
        TEST(json_is_found_by_its_brace_too),
        TEST(duplicates_in_json_are_warned_of),
        TEST(text_cut_anywhere_is_refused_or_read),
        TEST(a_broken_escape_names_file_and_line),
        TEST(providers_fill_values),
        TEST(a_declared_name_may_be_a_plain_one),
        TEST(references_that_lead_nowhere_are_refused),
        TEST(providers_keep_to_what_they_may_read),
        TEST(errors_never_show_what_a_provider_gave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
