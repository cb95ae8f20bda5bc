#include "walferry/ack.h"

#include <assert.h>
#include <stdlib.h>

/* A closed transaction that is not complete yet. */
struct unit {
    uint64_t seq_end; /* the number behind its last record */
    lsn_t end_lsn;
};

/* Records are numbered through all transactions, so the unbroken run is a number too: `seq_done`. Reports
 * ahead of it are kept as bits until the run reaches them. A transaction is complete when it was closed and
 * the run has reached its end; nothing has to know to which transaction a record belongs. */
struct ack_window {
    bool open;
    lsn_t confirmed;
    uint64_t seq_next; /* of the next record; the first is 1 */
    uint64_t seq_done; /* every number below is reported (or forgotten) */
    uint64_t early;    /* bits that are set */
    uint64_t *bits;    /* ring: one bit per number in [seq_done, seq_next) */
    uint64_t bit_count;
    struct unit *units; /* ring */
    size_t unit_first, unit_count, units_max;
};

#define BITS_INITIAL 4096
#define UNITS_INITIAL 64

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        abort(); /* out of memory: a restart is safe by design */
    return memory;
}

struct ack_window *ack_window_new(void)
{
    struct ack_window *w = allocate(1, sizeof(*w));
    w->seq_next = w->seq_done = 1;
    w->bit_count = BITS_INITIAL;
    w->bits = allocate(w->bit_count / 64, sizeof(*w->bits));
    w->units_max = UNITS_INITIAL;
    w->units = allocate(w->units_max, sizeof(*w->units));
    return w;
}

void ack_window_free(struct ack_window *w)
{
    if (w == NULL)
        return;
    free(w->bits);
    free(w->units);
    free(w);
}

void ack_window_reset(struct ack_window *w)
{
    w->open = false;
    w->seq_done = w->seq_next;
    w->unit_count = 0;
    if (w->early > 0)
        memset(w->bits, 0, w->bit_count / 8);
    w->early = 0;
}

static uint64_t *word_of(const struct ack_window *w, uint64_t seq, uint64_t *bit)
{
    uint64_t at = seq & (w->bit_count - 1);
    *bit = UINT64_C(1) << (at % 64);
    return &w->bits[at / 64];
}

static bool is_early(const struct ack_window *w, uint64_t seq)
{
    uint64_t bit;
    return (*word_of(w, seq, &bit) & bit) != 0;
}

/* Clears the bit and says whether it was set. */
static bool take_early(struct ack_window *w, uint64_t seq)
{
    uint64_t bit;
    uint64_t *word = word_of(w, seq, &bit);
    bool was_set = (*word & bit) != 0;
    *word &= ~bit;
    w->early -= was_set ? 1 : 0;
    return was_set;
}

static void set_early(struct ack_window *w, uint64_t seq)
{
    uint64_t bit;
    *word_of(w, seq, &bit) |= bit;
    w->early++;
}

static void grow_bits(struct ack_window *w)
{
    struct ack_window old = *w;
    w->bit_count *= 2;
    w->bits = allocate(w->bit_count / 64, sizeof(*w->bits));
    w->early = 0;
    for (uint64_t seq = old.seq_done; old.early > w->early && seq < old.seq_next; seq++) {
        if (is_early(&old, seq))
            set_early(w, seq);
    }
    free(old.bits);
}

static void grow_units(struct ack_window *w)
{
    struct unit *units = allocate(w->units_max * 2, sizeof(*units));
    for (size_t i = 0; i < w->unit_count; i++)
        units[i] = w->units[(w->unit_first + i) & (w->units_max - 1)];
    free(w->units);
    w->units = units;
    w->units_max *= 2;
    w->unit_first = 0;
}

static void raise_confirmed(struct ack_window *w, lsn_t lsn)
{
    if (lsn > w->confirmed)
        w->confirmed = lsn;
}

/* Drops the transactions that the run has reached. */
static void complete_units(struct ack_window *w)
{
    while (w->unit_count > 0 && w->units[w->unit_first].seq_end <= w->seq_done) {
        raise_confirmed(w, w->units[w->unit_first].end_lsn);
        w->unit_first = (w->unit_first + 1) & (w->units_max - 1);
        w->unit_count--;
    }
}

void ack_window_open(struct ack_window *w)
{
    assert(!w->open);
    w->open = true;
}

uint64_t ack_window_add(struct ack_window *w)
{
    assert(w->open);
    if (w->seq_next - w->seq_done == w->bit_count)
        grow_bits(w);
    return w->seq_next++;
}

/* A transaction without records is complete together with the one before it: they share an entry, so that
 * there are never more entries than records. */
static void add_unit(struct ack_window *w, lsn_t end_lsn)
{
    if (w->unit_count > 0) {
        struct unit *last = &w->units[(w->unit_first + w->unit_count - 1) & (w->units_max - 1)];
        if (last->seq_end == w->seq_next) {
            last->end_lsn = end_lsn > last->end_lsn ? end_lsn : last->end_lsn;
            return;
        }
    }
    if (w->unit_count == w->units_max)
        grow_units(w);
    size_t at = (w->unit_first + w->unit_count++) & (w->units_max - 1);
    w->units[at] = (struct unit){.seq_end = w->seq_next, .end_lsn = end_lsn};
}

void ack_window_close(struct ack_window *w, lsn_t end_lsn)
{
    assert(w->open);
    w->open = false;
    add_unit(w, end_lsn);
    complete_units(w);
}

void ack_window_delivered(struct ack_window *w, uint64_t seq)
{
    assert(seq < w->seq_next);
    if (seq < w->seq_done)
        return; /* forgotten by a reset, or reported twice */
    if (seq > w->seq_done) {
        if (!is_early(w, seq))
            set_early(w, seq);
        return;
    }
    do
        w->seq_done++;
    while (w->early > 0 && take_early(w, w->seq_done));
    complete_units(w);
}

void ack_window_delivered_through(struct ack_window *w, uint64_t seq)
{
    assert(seq < w->seq_next);
    if (seq < w->seq_done)
        return;
    for (uint64_t done = w->seq_done; w->early > 0 && done <= seq; done++)
        (void)take_early(w, done);
    w->seq_done = seq + 1;
    while (w->early > 0 && take_early(w, w->seq_done))
        w->seq_done++;
    complete_units(w);
}

lsn_t ack_window_confirmed(const struct ack_window *w)
{
    return w->confirmed;
}

bool ack_window_idle(const struct ack_window *w)
{
    return !w->open && w->seq_done == w->seq_next;
}

uint64_t ack_window_unacknowledged(const struct ack_window *w)
{
    return w->seq_next - w->seq_done - w->early;
}

bool ack_window_advance(struct ack_window *w, lsn_t lsn)
{
    if (!ack_window_idle(w))
        return false;
    raise_confirmed(w, lsn);
    return true;
}
