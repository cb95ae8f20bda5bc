#include "metrics_table.h"

const struct metric applier_metrics_table[] = {APPLIER_METRICS(METRIC_ROW)};
