/* connection.url as the JDBC sink takes it, in libpq's form. Names are those of pgjdbc's and libpq's manuals.
 */
#include "../../applier/target_url.h"

#include "cmocka_all.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *url, *uri; /* uri NULL = refused */
} cases[] = {
    {"jdbc:postgresql://h:5433/db", "postgresql://h:5433/db"},
    {"jdbc:postgresql://h1:1,h2:2/db", "postgresql://h1:1,h2:2/db"},
    {"jdbc:postgresql:db", "postgresql://localhost/db"},
    {"jdbc:postgresql:/db", "postgresql://localhost/db"},
    {"jdbc:postgresql://h/db?user=u&password=p%26q", "postgresql://h/db?user=u&password=p%26q"},
    {"jdbc:postgresql://h/db?loggerLevel=OFF&user=u&stringtype=x", "postgresql://h/db?user=u"},
    {"jdbc:postgresql://h/db?ssl=true", "postgresql://h/db?sslmode=verify-full"},
    {"jdbc:postgresql://h/db?ssl=false&ApplicationName=a", "postgresql://h/db?application_name=a"},
    {"jdbc:postgresql://h/db?targetServerType=primary", "postgresql://h/db?target_session_attrs=read-write"},
    {"jdbc:postgresql://h/db?&&", "postgresql://h/db"},
    {"jdbc:postgresql://h/db?", "postgresql://h/db"},
    {"postgresql://h/db?connect_timeout=3", "postgresql://h/db?connect_timeout=3"},
    {"postgres://h/db", "postgres://h/db"},
    {"host=h dbname=db", "host=h dbname=db"},
    {"jdbc:mysql://h/db", NULL},
    {"h:5432/db", NULL},
    {"", NULL},
};

static void urls_are_translated_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *uri = NULL;
        struct err err = {.code = ERR_NONE};
        bool ok = target_url_read(cases[i].url, &uri, &err);
        assert_int_equal(ok, cases[i].uri != NULL);
        if (ok)
            assert_string_equal(uri, cases[i].uri);
        else
            assert_int_equal(err.code, ERR_CONFIG);
        free(uri);
    }
}

static void a_refusal_does_not_quote_the_password(void **state)
{
    (void)state;
    char *uri = NULL;
    struct err err;
    assert_false(target_url_read("mysql://u:topsecret@h/db", &uri, &err));
    assert_null(strstr(err.text, "topsecret"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_translated_or_refused),
        cmocka_unit_test(a_refusal_does_not_quote_the_password),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
