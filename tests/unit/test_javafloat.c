/* Against Double.toString and Float.toString of JDK 17: tests/data/javafloat/jdk17.txt has the bits and
 * Java's text; the first lines are chosen (where it is not the shortest text), the others random. */
#include "walferry/javafloat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *write_bits(char *to, char kind, uint64_t bits)
{
    double wide;
    float narrow;
    uint32_t half = (uint32_t)bits;
    memcpy(&wide, &bits, sizeof(wide));
    memcpy(&narrow, &half, sizeof(narrow));
    return kind == 'd' ? javafloat_write_double(to, wide) : javafloat_write_float(to, narrow);
}

static void as_jdk_17(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_DATA "/javafloat/jdk17.txt", "r");
    char line[128];
    size_t count = 0;
    assert_non_null(file);
    for (; fgets(line, sizeof(line), file) != NULL; count++) {
        char text[JAVAFLOAT_SIZE + 1], *expected;
        uint64_t bits = strtoull(line + 2, &expected, 16);
        char *end = write_bits(text, line[0], bits);
        assert_true(end <= text + JAVAFLOAT_SIZE);
        *end = '\0';
        expected[strcspn(expected, "\n")] = '\0';
        assert_string_equal(text, expected + 1);
    }
    assert_int_equal(fclose(file), 0);
    assert_true(count > 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_jdk_17)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
