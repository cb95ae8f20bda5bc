#include "gendocs.h"

#include "../streamer/metrics_table.h"
#include "../streamer/streamer_config.h"

struct program_docs streamer_docs(void)
{
    return (struct program_docs){&streamer_config_table, STREAMER_METRICS_PREFIX, streamer_metrics_table,
                                 STREAMER_METRIC_COUNT};
}
