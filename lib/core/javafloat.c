#include "walferry/javafloat.h"

#include "javafloat_digits.h"

#include <string.h>

static char *write_digits(char *to, const struct digits *digits) /* getChars */
{
    int exponent = digits->exponent;
    if (exponent > -3 && exponent < 8) {
        if (exponent <= 0)
            *to++ = '0';
        for (int i = 0; i < exponent; i++)
            *to++ = i < digits->count ? digits->text[i] : '0';
        *to++ = '.';
        for (int i = exponent; i < 0; i++)
            *to++ = '0';
        int from = exponent > 0 ? exponent : 0;
        for (int i = from; i < digits->count; i++)
            *to++ = digits->text[i];
        if (from >= digits->count)
            *to++ = '0';
        return to;
    }
    *to++ = digits->text[0];
    *to++ = '.';
    for (int i = 1; i < digits->count; i++)
        *to++ = digits->text[i];
    if (digits->count == 1)
        *to++ = '0';
    *to++ = 'E';
    int power = exponent - 1;
    if (power < 0)
        *to++ = '-';
    power = power < 0 ? -power : power;
    if (power >= 100)
        *to++ = (char)('0' + power / 100);
    if (power >= 10)
        *to++ = (char)('0' + power / 10 % 10);
    *to++ = (char)('0' + power % 10);
    return to;
}

static char *write_number(char *to, struct number *number, bool negative)
{
    if (negative)
        *to++ = '-';
    if (number->fraction == 0) {
        memcpy(to, "0.0", 3);
        return to + 3;
    }
    struct digits digits = {.count = 0};
    javafloat_develop(&digits, number);
    return write_digits(to, &digits);
}

char *javafloat_write_double(char *to, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    int exponent = (int)(bits >> FRACTION_BITS & 0x7FF);
    struct number number = {.fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1)};
    if (exponent == 0 && number.fraction != 0) {
        int shift = __builtin_clzll(number.fraction) - 11;
        number.fraction <<= shift;
        exponent = 1 - shift;
        number.significant = FRACTION_BITS + 1 - shift;
    } else if (exponent != 0) {
        number.fraction |= UINT64_C(1) << FRACTION_BITS;
        number.significant = FRACTION_BITS + 1;
    }
    number.exponent = exponent - 1023;
    return write_number(to, &number, bits >> 63 != 0);
}

char *javafloat_write_float(char *to, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    int exponent = (int)(bits >> 23 & 0xFF);
    uint32_t fraction = bits & 0x7FFFFF;
    struct number number = {.significant = 24};
    if (exponent == 0 && fraction != 0) {
        int shift = __builtin_clz(fraction) - 8;
        fraction <<= shift;
        exponent = 1 - shift;
        number.significant = 24 - shift;
    } else if (exponent != 0) {
        fraction |= UINT32_C(1) << 23;
    }
    number.fraction = (uint64_t)fraction << (FRACTION_BITS - 23);
    number.exponent = exponent - 127;
    return write_number(to, &number, bits >> 31 != 0);
}
