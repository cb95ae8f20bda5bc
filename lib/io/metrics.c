#include "walferry/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void metrics_init(struct metrics *metrics, const char *prefix, const struct metric *table, size_t count)
{
    *metrics = (struct metrics){.prefix = prefix, .table = table, .count = count};
    metrics->values = calloc(count > 0 ? count : 1, sizeof(*metrics->values));
    if (metrics->values == NULL)
        abort();
}

void metrics_release(struct metrics *metrics)
{
    free(metrics->values);
    *metrics = (struct metrics){0};
}

static const char *kind_name(enum metric_kind kind)
{
    return kind == METRIC_COUNTER ? "counter" : "gauge";
}

/* Whole numbers up to 2^53 are exact in a double and are printed so, never as 1e+06. */
static void append_value(struct buf *out, double value)
{
    if (isnan(value))
        buf_append_text(out, "NaN");
    else if (isinf(value))
        buf_append_text(out, value > 0 ? "+Inf" : "-Inf");
    else if (fabs(value) <= 9007199254740992.0 && trunc(value) == value)
        buf_append_int(out, (int64_t)value);
    else
        buf_printf(out, "%.17g", value);
}

/* In a HELP line a backslash and a line feed are escaped, nothing else. */
static void append_help(struct buf *out, const char *help)
{
    for (; *help != '\0'; help++) {
        if (*help == '\\')
            buf_append_text(out, "\\\\");
        else if (*help == '\n')
            buf_append_text(out, "\\n");
        else
            buf_append_char(out, *help);
    }
}

void metrics_write(const struct metrics *metrics, struct buf *out)
{
    for (size_t i = 0; i < metrics->count; i++) {
        const struct metric *metric = &metrics->table[i];
        buf_printf(out, "# HELP %s%s ", metrics->prefix, metric->name);
        append_help(out, metric->help);
        buf_printf(out, "\n# TYPE %s%s %s\n", metrics->prefix, metric->name, kind_name(metric->kind));
        buf_printf(out, "%s%s ", metrics->prefix, metric->name);
        append_value(out, metrics->values[i]);
        buf_append_char(out, '\n');
    }
}

static void append_cell(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            buf_append_char(out, '\\');
        buf_append_char(out, *text == '\n' ? ' ' : *text);
    }
}

void metrics_write_docs(const char *prefix, const struct metric *table, size_t count, struct buf *out)
{
    buf_append_text(out, "| metric | kind | unit | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "| `%s%s` | %s | %s | ", prefix, table[i].name, kind_name(table[i].kind),
                   table[i].unit);
        append_cell(out, table[i].help);
        buf_append_text(out, " |\n");
    }
}

void metrics_read_memory(uint64_t *rss_bytes, uint64_t *rss_peak_bytes)
{
    *rss_bytes = *rss_peak_bytes = 0;
    FILE *file = fopen("/proc/self/status", "re");
    if (file == NULL)
        return;
    char line[256];
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0)
            *rss_bytes = strtoull(line + 6, NULL, 10) * 1024; /* the kernel says kB */
        else if (strncmp(line, "VmHWM:", 6) == 0)
            *rss_peak_bytes = strtoull(line + 6, NULL, 10) * 1024;
    }
    (void)fclose(file);
}
