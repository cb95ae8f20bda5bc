/* javafloat_bignat: natural numbers of bounded size, for the digits of floating point (javafloat_digits.c)
 * only. */
#ifndef WALFERRY_JAVAFLOAT_BIGNAT_H
#define WALFERRY_JAVAFLOAT_BIGNAT_H

#include <stdint.h>

/* 2^1074 * 10 * 2^53 and 5^325 both fit in 1216 bits. */
#define BIGNAT_LIMBS 40

struct bignat {
    int count; /* limbs in use; the last one is not 0 */
    uint32_t limbs[BIGNAT_LIMBS];
};

/* value * 5^fives * 2^twos */
void bignat_set(struct bignat *number, uint64_t value, int fives, int twos);
void bignat_multiply_small(struct bignat *number, uint32_t factor);
int bignat_compare(const struct bignat *a, const struct bignat *b);
/* Compares a with b + c. */
int bignat_compare_sum(const struct bignat *a, const struct bignat *b, const struct bignat *c);
/* a -= b; a must not be the smaller one. */
void bignat_subtract(struct bignat *a, const struct bignat *b);

#endif
