#include "gendocs.h"

#include "../applier/applier_config.h"
#include "../applier/metrics_table.h"

struct program_docs applier_docs(void)
{
    return (struct program_docs){&applier_config_table, APPLIER_METRICS_PREFIX, applier_metrics_table,
                                 APPLIER_METRIC_COUNT};
}
