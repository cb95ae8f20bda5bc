/* backoff: growing pauses with jitter between attempts: first_ms, doubling to max_ms, each ±25 %. */
#ifndef WALFERRY_BACKOFF_H
#define WALFERRY_BACKOFF_H

#include <stdint.h>

struct backoff {
    uint32_t first_ms, max_ms;
    uint32_t next_ms;
    uint64_t random; /* state of a small generator, seeded by backoff_init */
};

void backoff_init(struct backoff *backoff, uint32_t first_ms, uint32_t max_ms, uint64_t seed);
uint32_t backoff_next_ms(struct backoff *backoff); /* the pause before the next attempt */
void backoff_reset(struct backoff *backoff);       /* after a success */

#endif
