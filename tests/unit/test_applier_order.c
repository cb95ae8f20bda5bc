/* Whole transactions or ERR_ORDER: every way in which records can fail to add up. */
#include "../../applier/order.h"

#include "cmocka_all.h"

#include <string.h>

enum step_kind { BEGIN, ROW, END };

struct step {
    enum step_kind kind;
    uint32_t xid;
    uint64_t number; /* ROW: total_order (0 = no block); END: event_count */
    lsn_t lsn;       /* END */
    enum event_op op;
};

struct order_case {
    const char *name;
    const char *error; /* part of the text of the last step's error; NULL = all go through */
    struct step steps[8];
    size_t count;
};

static const struct order_case cases[] = {
    {"empty transaction", NULL, {{BEGIN, 7, 0, 0, 0}, {END, 7, 0, 100, 0}}, 2},
    {"one row", NULL, {{BEGIN, 7, 0, 0, 0}, {ROW, 7, 1, 0, 'c'}, {END, 7, 1, 100, 0}}, 3},
    {"BEGIN is a hint", NULL, {{ROW, 7, 1, 0, 'c'}, {END, 7, 1, 100, 0}}, 2},
    {"BEGIN comes twice", NULL, {{BEGIN, 7, 0, 0, 0}, {BEGIN, 7, 0, 0, 0}, {END, 7, 0, 100, 0}}, 3},
    {"snapshot rows stand alone", NULL, {{ROW, 1, 0, 0, 'r'}, {ROW, 1, 0, 0, 'r'}}, 2},
    {"message outside a transaction", NULL, {{ROW, 0, 0, 0, 'm'}}, 1},
    {"two transactions",
     NULL,
     {{BEGIN, 7, 0, 0, 0},
      {ROW, 7, 1, 0, 'u'},
      {END, 7, 1, 100, 0},
      {BEGIN, 7, 0, 0, 0},
      {END, 7, 0, 101, 0}},
     5},
    {"no block", "provide.transaction.metadata=true", {{ROW, 7, 0, 0, 'c'}}, 1},
    {"no block inside", "provide.transaction.metadata=true", {{BEGIN, 7, 0, 0, 0}, {ROW, 8, 0, 0, 'd'}}, 2},
    {"row is lost at the start",
     "total_order 2 where 1 was due",
     {{BEGIN, 7, 0, 0, 0}, {ROW, 7, 2, 0, 'c'}},
     2},
    {"row is lost at the end",
     "ends after 1 events and its END counts 2",
     {{BEGIN, 7, 0, 0, 0}, {ROW, 7, 1, 0, 'c'}, {END, 7, 2, 100, 0}},
     3},
    {"row is repeated",
     "total_order 1 where 2 was due",
     {{BEGIN, 7, 0, 0, 0}, {ROW, 7, 1, 0, 'c'}, {ROW, 7, 1, 0, 'c'}},
     3},
    {"END counts less",
     "ends after 2 events and its END counts 1",
     {{ROW, 7, 1, 0, 'c'}, {ROW, 7, 2, 0, 'c'}, {END, 7, 1, 100, 0}},
     3},
    {"all rows lost", "ends after 0 events and its END counts 3", {{END, 7, 3, 100, 0}}, 1},
    {"another transaction's row", "inside transaction 7", {{BEGIN, 7, 0, 0, 0}, {ROW, 8, 1, 0, 'c'}}, 2},
    {"another transaction's END", "inside transaction 7", {{BEGIN, 7, 0, 0, 0}, {END, 8, 0, 100, 0}}, 2},
    {"END is lost",
     "before the END of transaction 7",
     {{BEGIN, 7, 0, 0, 0}, {ROW, 7, 1, 0, 'c'}, {BEGIN, 8, 0, 0, 0}},
     3},
    {"a transaction comes again",
     "not behind the one before it",
     {{ROW, 7, 1, 0, 'c'}, {END, 7, 1, 100, 0}, {ROW, 7, 1, 0, 'c'}, {END, 7, 1, 100, 0}},
     4},
    {"the source was rebuilt", "not behind the one before it", {{BEGIN, 7, 0, 0, 0}, {END, 7, 0, 50, 0}}, 2},
};

static bool take(struct order *order, const struct step *step, struct err *err)
{
    struct change change = {.xid = step->xid, .op = step->op};
    switch (step->kind) {
    case BEGIN:
        return order_begin(order, &change, err);
    case ROW:
        change.total_order = step->number;
        return order_row(order, &change, err);
    case END:
        change.event_count = step->number;
        change.transaction_lsn = step->lsn;
        return order_end(order, &change, err);
    }
    return false;
}

static void adds_up_or_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct order order;
        struct err err = {.code = ERR_NONE};
        order_start(&order, 60);
        for (size_t k = 0; k < cases[i].count; k++) {
            bool last = k + 1 == cases[i].count;
            bool ok = take(&order, &cases[i].steps[k], &err);
            if (ok != !(last && cases[i].error != NULL))
                fail_msg("%s: step %zu: %s", cases[i].name, k, err.text);
        }
        if (cases[i].error != NULL) {
            assert_int_equal(err.code, ERR_ORDER);
            if (strstr(err.text, cases[i].error) == NULL)
                fail_msg("%s: %s", cases[i].name, err.text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(adds_up_or_says_why)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
