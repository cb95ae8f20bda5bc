/* metrics: one table per program; values are plain numbers, written by the loop's thread.
 *
 *     enum streamer_metric { STREAMER_METRICS(METRIC_ENUM) };      rows: X(ID, "name", KIND, "unit", "help")
 *     metrics_add(m, EVENTS_TOTAL, 1);
 *
 * /metrics (Prometheus text format 0.0.4) and docs/METRICS.md come from the table. Names get the program's
 * prefix.
 */
#ifndef WALFERRY_METRICS_H
#define WALFERRY_METRICS_H

#include "walferry/buf.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct metric {
    const char *name; /* "events_total" */
    enum metric_kind kind;
    const char *unit; /* "events", "bytes", "ms", "lsn" … for the docs */
    const char *help;
};

#define METRIC_ENUM(id, name, kind, unit, help) id,
#define METRIC_ROW(id, name, kind, unit, help) {name, kind, unit, help},

struct metrics {
    const char *prefix; /* "walferry_streamer_" */
    const struct metric *table;
    size_t count;
    double *values; /* owned */
};

void metrics_init(struct metrics *metrics, const char *prefix, const struct metric *table, size_t count);
void metrics_release(struct metrics *metrics);

static inline void metrics_set(struct metrics *metrics, size_t id, double value)
{
    metrics->values[id] = value;
}
static inline void metrics_add(struct metrics *metrics, size_t id, double value)
{
    metrics->values[id] += value;
}

void metrics_write(const struct metrics *metrics, struct buf *out); /* Prometheus text */
void metrics_write_docs(const char *prefix, const struct metric *table, size_t count, struct buf *out);

/* Resident memory of this process now and at its peak (/proc/self/status), in bytes. */
void metrics_read_memory(uint64_t *rss_bytes, uint64_t *rss_peak_bytes);

#endif
