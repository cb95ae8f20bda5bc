/* clock: time, in one place. Timers use the monotonic clock; only what is shown to people or written into
 * events uses the wall clock. */
#ifndef WALFERRY_CLOCK_H
#define WALFERRY_CLOCK_H

#include <stdint.h>

int64_t clock_monotonic_us(void);
int64_t clock_wall_us(void); /* Unix epoch */
int64_t clock_wall_ns(void);

#endif
