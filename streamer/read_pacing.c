#include "read_pacing.h"

#include <string.h>

#define SETTLE_US 2000      /* after a change of the pause: what was queued before it is not counted */
#define TRIAL_US 8000       /* counted then, */
#define TRIAL_READS 16      /* and so many reads: where the processor is shared they come late */
#define TRIAL_US_MAX 500000 /* interrupted for so long, a trial says nothing */
#define LONGER 3            /* times as long are the trials after the first of each pause */
#define KEEP_TRIALS 12      /* of the best pause between two probes of others */
#define SURPRISE 1.5        /* times more or less than known, */
#define SURPRISES_MAX 3     /* so many trials of the best in a row: everything is tried anew */
#define NEARLY_BEST 0.97    /* as good as the best: then the longer pause wins, it costs less */

static const uint16_t pauses_us[READ_PACING_STEPS] = {0, 60, 125, 250, 500, READ_PACING_PAUSE_MAX_US};

void read_pacing_init(struct read_pacing *pacing, bool tcp)
{
    *pacing = (struct read_pacing){.tcp = tcp};
}

static void begin_phase(struct read_pacing *p, enum read_pacing_phase phase, int64_t now_us)
{
    p->phase = phase;
    p->since_us = now_us;
    p->bytes = 0;
    p->reads = 0;
}

static bool trial_is_over(const struct read_pacing *p, int64_t now_us)
{
    unsigned times = p->measured[p->step] ? LONGER : 1;
    return now_us - p->since_us >= (int64_t)times * TRIAL_US && p->reads >= (uint64_t)times * TRIAL_READS;
}

/* Other rows, another sender: what is known of all pauses is from another time. */
static bool is_another_stream(struct read_pacing *p, double rate)
{
    double known = p->rate[p->step];
    bool surprise = p->measured[p->step] && (rate > SURPRISE * known || SURPRISE * rate < known);
    p->surprises = surprise ? p->surprises + 1 : 0;
    return p->surprises == SURPRISES_MAX;
}

/* A trial of the best is one of many, one of another pause is all that is known of it for a second. */
static void record(struct read_pacing *p, double rate)
{
    if (p->step == p->best && is_another_stream(p, rate)) {
        memset(p->measured, 0, sizeof(p->measured));
        p->surprises = 0;
    }
    double weight = !p->measured[p->step] ? 1.0 : p->step == p->best ? 0.25 : 0.5;
    p->rate[p->step] += weight * (rate - p->rate[p->step]);
    p->measured[p->step] = true;
}

static unsigned find_best(const struct read_pacing *p)
{
    double highest = 0;
    unsigned best = 0;
    for (unsigned i = 0; i < READ_PACING_STEPS; i++)
        highest = p->measured[i] && p->rate[i] > highest ? p->rate[i] : highest;
    for (unsigned i = 0; i < READ_PACING_STEPS; i++)
        best = p->measured[i] && p->rate[i] >= NEARLY_BEST * highest ? i : best;
    return best;
}

/* What to try next: first each once, then the best, and after KEEP_TRIALS of it another, in turn. */
static void choose(struct read_pacing *p)
{
    for (unsigned i = 0; i < READ_PACING_STEPS; i++) {
        if (!p->measured[i]) {
            p->step = i;
            return;
        }
    }
    p->best = find_best(p);
    p->kept++;
    p->step = p->best;
    if (p->kept <= KEEP_TRIALS)
        return;
    p->kept = 0;
    p->probed = (p->probed + 1) % READ_PACING_STEPS;
    p->step = p->probed;
}

static void finish_trial(struct read_pacing *p, int64_t now_us)
{
    int64_t elapsed_us = now_us - p->since_us;
    unsigned before = p->step;
    if (elapsed_us <= TRIAL_US_MAX) {
        record(p, (double)p->bytes / (double)elapsed_us);
        choose(p);
    }
    begin_phase(p, p->step == before ? READ_PACING_COUNTING : READ_PACING_SETTLING, now_us);
}

uint32_t read_pacing_next(struct read_pacing *p, size_t bytes, int64_t lag_us, int64_t now_us)
{
    if (!p->tcp || lag_us < READ_PACING_LAG_US) {
        p->phase = READ_PACING_OFF;
        return 0;
    }
    p->bytes += bytes;
    p->reads++;
    if (p->phase == READ_PACING_OFF)
        begin_phase(p, READ_PACING_SETTLING, now_us);
    else if (p->phase == READ_PACING_SETTLING && now_us - p->since_us >= SETTLE_US)
        begin_phase(p, READ_PACING_COUNTING, now_us);
    else if (p->phase == READ_PACING_COUNTING && trial_is_over(p, now_us))
        finish_trial(p, now_us);
    /* Nothing after a pause: the sender is slow at the moment, and what comes next is taken at once. */
    return bytes == 0 ? 0 : pauses_us[p->step];
}
