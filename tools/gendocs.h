/* gendocs: what a program's tables say, for the generated documents.
 *
 * The tables of two programs cannot be in one translation unit: their metrics have the same names. */
#ifndef GENDOCS_H
#define GENDOCS_H

#include "walferry/config.h"
#include "walferry/metrics.h"

struct program_docs {
    const struct config_table *config;
    const char *metrics_prefix;
    const struct metric *metrics;
    size_t metric_count;
};

struct program_docs streamer_docs(void);
struct program_docs applier_docs(void);

#endif
