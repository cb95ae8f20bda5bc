#include "config_internal.h"

#include <stdio.h>

/* ---- --print-config: lines that the properties reader reads back, secrets apart */

static void append_properties_text(struct buf *out, const char *text)
{
    static const char special[] = "\\\n\r\t\f";
    static const char *const escaped[] = {"\\\\", "\\n", "\\r", "\\t", "\\f"};
    for (; *text != '\0'; text++) {
        const char *found = strchr(special, *text);
        if (found != NULL)
            buf_append_text(out, escaped[found - special]);
        else
            buf_append_char(out, *text);
    }
}

static void print_line(struct buf *out, const struct config_key *key, const struct config_item *item,
                       const char *value)
{
    struct buf shown;
    buf_init(&shown, CONFIG_FILE_BYTES_MAX * 2);
    config_value_append_shown(&shown, key, item, value);
    buf_printf(out, "%s=", item != NULL ? item->name : key->name);
    append_properties_text(out, buf_text(&shown));
    buf_append_char(out, '\n');
    buf_release(&shown);
}

static void print_prefix(const struct config *config, const struct config_key *prefix, struct buf *out)
{
    for (size_t i = 0; i < config->given.count; i++) {
        const struct config_item *item = &config->given.items[i];
        if (config_key_find(config->table, item->name) == prefix)
            print_line(out, prefix, item, item->value);
    }
}

void config_print(const struct config *config, struct buf *out)
{
    for (const struct config_key *key = config->table->keys; key->name != NULL; key++) {
        const struct config_item *item = config_list_find(&config->given, key->name);
        bool idle = key->type == CONFIG_ACCEPTED || key->type == CONFIG_UNSUPPORTED;
        if ((key->flags & CONFIG_PREFIX) != 0)
            print_prefix(config, key, out);
        else if (item != NULL)
            print_line(out, key, item, item->value);
        else if (key->fallback != NULL && !idle)
            print_line(out, key, NULL, key->fallback);
    }
}

/* ---- docs/CONFIGURATION.md and --help */

static bool is_idle(const struct config_key *key)
{
    return key->type == CONFIG_ACCEPTED || key->type == CONFIG_UNSUPPORTED;
}

/* The unit is the end of the name, as in Debezium's and Kafka's own. */
static const char *unit_of(const struct config_key *key)
{
    static const struct {
        const char *end, *unit;
    } units[] = {{".ms", "ms"},           {".bytes", "bytes"},     {".kbytes", "KiB"},  {".mbytes", "MiB"},
                 {".seconds", "seconds"}, {".minutes", "minutes"}, {".hours", "hours"}, {".rows", "rows"},
                 {".records", "records"}, {".port", "port"}};
    size_t len = strlen(key->name);
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        size_t end_len = strlen(units[i].end);
        if (key->type == CONFIG_INT && len > end_len && strcmp(key->name + len - end_len, units[i].end) == 0)
            return units[i].unit;
    }
    return "";
}

static void append_cell(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            buf_append_char(out, '\\');
        buf_append_char(out, *text == '\n' ? ' ' : *text);
    }
}

static void append_code(struct buf *out, const char *text)
{
    buf_append_char(out, '`');
    append_cell(out, text);
    buf_append_char(out, '`');
}

static void append_default(struct buf *out, const struct config_key *key)
{
    if ((key->flags & CONFIG_REQUIRED) != 0)
        buf_append_text(out, "required");
    else if (key->fallback == NULL)
        buf_append_text(out, "unset");
    else if (key->fallback[0] == '\0')
        buf_append_text(out, "empty");
    else
        append_code(out, key->fallback);
}

static void append_row(struct buf *out, const struct config_key *key)
{
    struct buf allowed;
    buf_init(&allowed, 4096);
    config_value_append_allowed(&allowed, key);
    buf_append_text(out, "| ");
    append_code(out, key->name);
    buf_append_text(out, (key->flags & CONFIG_PREFIX) != 0 ? "* | " : " | ");
    append_default(out, key);
    buf_append_text(out, " | ");
    append_cell(out, allowed.len > 0 ? buf_text(&allowed) : "text");
    buf_printf(out, " | %s | ", unit_of(key));
    append_cell(out, key->help);
    if ((key->flags & CONFIG_SECRET) != 0)
        buf_append_text(out, " Never shown.");
    buf_printf(out, " | %s |\n", (key->flags & CONFIG_RELOAD) != 0 ? "yes" : "no");
    buf_release(&allowed);
}

/* Whether an earlier row that is not idle has the same group. */
static bool group_came_before(const struct config_table *table, const struct config_key *key)
{
    for (const struct config_key *earlier = table->keys; earlier < key; earlier++) {
        if (!is_idle(earlier) && strcmp(earlier->group, key->group) == 0)
            return true;
    }
    return false;
}

static void append_group(struct buf *out, const struct config_key *first)
{
    buf_printf(out, "### %s\n\n", first->group);
    buf_append_text(out, "| key | default | allowed | unit | meaning | reloadable |\n");
    buf_append_text(out, "| --- | --- | --- | --- | --- | --- |\n");
    for (const struct config_key *key = first; key->name != NULL; key++) {
        if (!is_idle(key) && strcmp(key->group, first->group) == 0)
            append_row(out, key);
    }
    buf_append_char(out, '\n');
}

static void append_idle(struct buf *out, const struct config_table *table, enum config_type type,
                        const char *heading)
{
    bool any = false;
    for (const struct config_key *key = table->keys; key->name != NULL; key++) {
        if (key->type != type)
            continue;
        buf_append_text(out, any ? ", " : heading);
        any = true;
        append_code(out, key->name);
        if ((key->flags & CONFIG_PREFIX) != 0)
            buf_append_char(out, '*');
        if (key->fallback != NULL && key->fallback[0] != '\0') {
            buf_append_text(out, " (");
            append_code(out, key->fallback);
            buf_append_char(out, ')');
        }
    }
    buf_append_text(out, any ? ".\n\n" : "");
}

static void append_aliases(struct buf *out, const struct config_alias *alias)
{
    if (alias == NULL || alias->environment == NULL)
        return;
    buf_append_text(out, "### Plain environment variables\n\n| variable | key |\n| --- | --- |\n");
    for (; alias->environment != NULL; alias++)
        buf_printf(out, "| `%s` | `%s` |\n", alias->environment, alias->key);
    buf_append_char(out, '\n');
}

void config_write_docs(const struct config_table *table, struct buf *out)
{
    buf_printf(out, "## %s\n\n", table->program);
    for (const struct config_key *key = table->keys; key->name != NULL; key++) {
        if (!is_idle(key) && !group_came_before(table, key))
            append_group(out, key);
    }
    append_aliases(out, table->aliases);
    append_idle(out, table, CONFIG_UNSUPPORTED,
                "### Not supported\n\nRefused, unless the value is the default (in parentheses): ");
    append_idle(out, table, CONFIG_ACCEPTED, "### Accepted, without meaning here\n\n");
}

void config_write_help(const struct config_table *table, struct buf *out)
{
    const char *group = "";
    for (const struct config_key *key = table->keys; key->name != NULL; key++) {
        if (is_idle(key))
            continue;
        if (strcmp(group, key->group) != 0)
            buf_printf(out, "%s%s:\n", group[0] != '\0' ? "\n" : "", key->group);
        group = key->group;
        buf_printf(out, "  %s%s", key->name, (key->flags & CONFIG_PREFIX) != 0 ? "*" : "");
        if ((key->flags & CONFIG_REQUIRED) != 0)
            buf_append_text(out, " (required)");
        else if (key->fallback != NULL && key->fallback[0] != '\0')
            buf_printf(out, " = %s", key->fallback);
        buf_printf(out, "\n      %s\n", key->help);
        if (key->type == CONFIG_ENUM) {
            buf_append_text(out, "      allowed: ");
            config_value_append_allowed(out, key);
            buf_append_char(out, '\n');
        }
    }
}
