/* check: --check, what a start would meet, one line each on standard output; changes nothing. */
#ifndef APPLIER_CHECK_H
#define APPLIER_CHECK_H

#include "applier_config.h"

/* Returns the exit code: 0 where a start would go through. */
int check_run(const struct applier_config *config);

#endif
