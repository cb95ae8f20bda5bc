#include "walferry/backoff.h"

/* splitmix64: spreads any seed, also 0 and neighbours such as process ids started together. */
static uint64_t next_random(struct backoff *backoff)
{
    uint64_t z = (backoff->random += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void backoff_init(struct backoff *backoff, uint32_t first_ms, uint32_t max_ms, uint64_t seed)
{
    *backoff = (struct backoff){.first_ms = first_ms, .max_ms = max_ms, .random = seed};
    backoff_reset(backoff);
}

uint32_t backoff_next_ms(struct backoff *backoff)
{
    uint64_t pause_ms = backoff->next_ms;
    backoff->next_ms = pause_ms * 2 < backoff->max_ms ? (uint32_t)(pause_ms * 2) : backoff->max_ms;

    /* 75 % to 125 %: many programs that lost one server do not come back in step. */
    uint64_t jittered_ms = pause_ms * 3 / 4 + next_random(backoff) % (pause_ms / 2 + 1);
    return jittered_ms < UINT32_MAX ? (uint32_t)jittered_ms : UINT32_MAX;
}

void backoff_reset(struct backoff *backoff)
{
    backoff->next_ms = backoff->first_ms < backoff->max_ms ? backoff->first_ms : backoff->max_ms;
}
