#include "walferry/err.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#undef err_set /* the analyzer's stand-ins */
#undef err_prefix

struct err_row {
    const char *name;
    enum err_action action;
    const char *help;
};

#define ERR_CODE_ROW(code, name, action, help) [code] = {name, action, help},
static const struct err_row rows[] = {ERR_CODES(ERR_CODE_ROW)};
#undef ERR_CODE_ROW

static const struct err_row *row_of(enum err_code code)
{
    assert(code < ERR_CODE_COUNT);
    return &rows[code];
}

const char *err_code_name(enum err_code code)
{
    return row_of(code)->name;
}

const char *err_code_help(enum err_code code)
{
    return row_of(code)->help;
}

enum err_action err_code_action(enum err_code code)
{
    return row_of(code)->action;
}

/* Server messages may hold newlines; an error is one line. */
static void flatten(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n' || *text == '\r' || *text == '\t')
            *text = ' ';
    }
}

bool err_setv(struct err *err, enum err_code code, const char *format, va_list args)
{
    *err = (struct err){.code = code, .action = err_code_action(code)};
    (void)vsnprintf(err->text, sizeof(err->text), format, args);
    flatten(err->text);
    return false;
}

bool err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)err_setv(err, code, format, args);
    va_end(args);
    return false;
}

bool err_prefix(struct err *err, const char *format, ...)
{
    char prefix[sizeof(err->text)];
    char joined[sizeof(prefix) + sizeof(err->text) + 2];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(prefix, sizeof(prefix), format, args);
    va_end(args);
    (void)snprintf(joined, sizeof(joined), "%s: %s", prefix, err->text);
    joined[sizeof(err->text) - 1] = '\0';
    (void)memcpy(err->text, joined, sizeof(err->text));
    flatten(err->text);
    return false;
}

int err_exit_code(const struct err *err)
{
    return err->action == ERR_USAGE ? 2 : 1;
}
