#include "pg_conn.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The first row whose prefix fits decides. */
static const struct {
    const char *prefix;
    enum err_code code;
    bool retry;
} classes[] = {
    {"08P01", ERR_PROTOCOL, false}, {"08", ERR_CONNECT, true}, {"53", ERR_CONNECT, true},
    {"57P", ERR_CONNECT, true},     {"28", ERR_AUTH, false},   {"42501", ERR_PRIVILEGE, false},
    {"40", ERR_SQL, true},          {"", ERR_SQL, false},
};

static void classify(struct err *err, const char *sqlstate)
{
    for (size_t i = 0;; i++) {
        if (strncmp(sqlstate, classes[i].prefix, strlen(classes[i].prefix)) != 0)
            continue;
        err->code = classes[i].code;
        err->action = classes[i].retry ? ERR_RETRY : err_code_action(classes[i].code);
        break;
    }
    (void)snprintf(err->sqlstate, sizeof(err->sqlstate), "%s", sqlstate);
}

/* Messages of class 22 quote the value that was refused. */
static void hide_quoted(char *text)
{
    char *to = text;
    bool quoted = false;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        *to++ = *from;
    }
    *to = '\0';
}

static void append_field(char *text, size_t size, const char *label, const char *value)
{
    size_t len = strlen(text);
    if (value != NULL)
        (void)snprintf(text + len, size - len, "%s%s", label, value);
}

bool pg_err_result(struct err *err, const struct pg *pg, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (state == NULL || primary == NULL)
        return pg_err_lost(err, pg);
    char text[384];
    (void)snprintf(text, sizeof(text), "%s", primary);
    if (strncmp(state, "22", 2) == 0)
        hide_quoted(text);
    append_field(text, sizeof(text), ", schema ", PQresultErrorField(result, PG_DIAG_SCHEMA_NAME));
    append_field(text, sizeof(text), ", table ", PQresultErrorField(result, PG_DIAG_TABLE_NAME));
    append_field(text, sizeof(text), ", column ", PQresultErrorField(result, PG_DIAG_COLUMN_NAME));
    append_field(text, sizeof(text), ", constraint ", PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
    (void)err_set(err, ERR_SQL, "%s: %s (SQLSTATE %s)", pg->place, text, state);
    classify(err, state);
    return false;
}

/* libpq keeps no SQLSTATE of a refused connection, but its verbose text has it: "FATAL:  28P01: password …".
 */
static bool find_sqlstate(const char *text, char sqlstate[6])
{
    for (const char *at = strstr(text, ":  "); at != NULL; at = strstr(at + 1, ":  ")) {
        size_t len = strspn(at + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (len == 5 && at[8] == ':') {
            (void)memcpy(sqlstate, at + 3, 5);
            sqlstate[5] = '\0';
            return true;
        }
    }
    return false;
}

/* The text up to the verbose parts that would only confuse; DETAIL goes with them. */
static void copy_message(char *out, size_t size, const char *text)
{
    static const char *const ends[] = {"\nDETAIL:", "\nLOCATION:", "\nHINT:"};
    size_t len = strlen(text);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        const char *end = strstr(text, ends[i]);
        if (end != NULL && (size_t)(end - text) < len)
            len = (size_t)(end - text);
    }
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    (void)snprintf(out, size, "%.*s", len < size ? (int)len : (int)size - 1, text);
}

bool pg_err_connect(struct err *err, const struct pg *pg, bool replication)
{
    char text[400], sqlstate[6];
    const char *message = PQerrorMessage(pg->conn);
    copy_message(text, sizeof(text), message);
    if (replication && strstr(message, "unsupported startup parameter") != NULL)
        return err_set(err, ERR_POOLER,
                       "%s is a connection pooler such as PgBouncer, which does not pass replication on; "
                       "connect to the PostgreSQL server itself",
                       pg->place);
    (void)err_set(err, ERR_CONNECT, "cannot connect to %s: %s", pg->place, text);
    if (find_sqlstate(message, sqlstate))
        classify(err, sqlstate);
    else if (PQconnectionNeedsPassword(pg->conn) != 0)
        return err_set(err, ERR_AUTH, "%s asks for a password and none is configured", pg->place);
    return false;
}

bool pg_err_lost(struct err *err, const struct pg *pg)
{
    char text[400];
    copy_message(text, sizeof(text), PQerrorMessage(pg->conn));
    return err_set(err, ERR_CONNECT, "lost the connection to %s: %s", pg->place,
                   text[0] != '\0' ? text : "closed by the server");
}
