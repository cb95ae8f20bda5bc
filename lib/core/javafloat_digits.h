/* javafloat_digits: the decimal digits of one positive number, see javafloat.h. */
#ifndef WALFERRY_JAVAFLOAT_DIGITS_H
#define WALFERRY_JAVAFLOAT_DIGITS_H

#include <stdint.h>

#define FRACTION_BITS 52 /* EXP_SHIFT */
#define DIGITS_MAX 20

struct digits {
    char text[DIGITS_MAX];
    int count;
    int exponent; /* decExponent: the point stands before digit `exponent` */
};

struct number {
    uint64_t fraction;
    int exponent;    /* binExp */
    int significant; /* nSignificantBits */
};

void javafloat_develop(struct digits *digits, const struct number *number);

#endif
