#include "javafloat_bignat.h"

#include <assert.h>
#include <string.h>

static void trim(struct bignat *number)
{
    while (number->count > 0 && number->limbs[number->count - 1] == 0)
        number->count--;
}

void bignat_multiply_small(struct bignat *number, uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < number->count; i++) {
        carry += (uint64_t)number->limbs[i] * factor;
        number->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0) {
        assert(number->count < BIGNAT_LIMBS);
        number->limbs[number->count++] = (uint32_t)carry;
    }
}

static void shift_left(struct bignat *number, int bits)
{
    int whole = bits / 32;
    if (number->count == 0)
        return;
    assert(number->count + whole < BIGNAT_LIMBS);
    memmove(number->limbs + whole, number->limbs, (size_t)number->count * sizeof(number->limbs[0]));
    memset(number->limbs, 0, (size_t)whole * sizeof(number->limbs[0]));
    number->count += whole;
    if (bits % 32 != 0)
        bignat_multiply_small(number, UINT32_C(1) << (bits % 32));
}

void bignat_set(struct bignat *number, uint64_t value, int fives, int twos)
{
    const uint32_t five_to_13 = 1220703125;
    number->limbs[0] = (uint32_t)value;
    number->limbs[1] = (uint32_t)(value >> 32);
    number->count = 2;
    trim(number);
    for (; fives >= 13; fives -= 13)
        bignat_multiply_small(number, five_to_13);
    for (; fives > 0; fives--)
        bignat_multiply_small(number, 5);
    shift_left(number, twos);
}

int bignat_compare(const struct bignat *a, const struct bignat *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (int i = a->count - 1; i >= 0; i--) {
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
    }
    return 0;
}

int bignat_compare_sum(const struct bignat *a, const struct bignat *b, const struct bignat *c)
{
    struct bignat sum = *b;
    uint64_t carry = 0;
    int count = b->count > c->count ? b->count : c->count;
    for (int i = 0; i < count; i++) {
        carry += (uint64_t)(i < b->count ? b->limbs[i] : 0) + (i < c->count ? c->limbs[i] : 0);
        sum.limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    sum.count = count;
    if (carry != 0) {
        assert(count < BIGNAT_LIMBS);
        sum.limbs[sum.count++] = (uint32_t)carry;
    }
    return bignat_compare(a, &sum);
}

void bignat_subtract(struct bignat *a, const struct bignat *b)
{
    int64_t borrow = 0;
    for (int i = 0; i < a->count; i++) {
        borrow += (int64_t)a->limbs[i] - (i < b->count ? b->limbs[i] : 0);
        a->limbs[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    assert(borrow == 0);
    trim(a);
}
