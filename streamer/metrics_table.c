#include "metrics_table.h"

const struct metric streamer_metrics_table[] = {STREAMER_METRICS(METRIC_ROW)};
