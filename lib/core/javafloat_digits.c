#include "javafloat_digits.h"

#include "javafloat_bignat.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Follows FloatingDecimal.BinaryToASCIIBuffer of JDK 17 (dtoa, developLongDigits, getChars); its names are in
 * the comments. A number is fraction * 2^(exponent - 52), the fraction's top bit being bit 52. */

#define SMALL_EXPONENT 62 /* MAX_SMALL_BIN_EXP; the lower bound is -21 */

/* The powers of two and five in B, S and M: d = B/S * 10^decExp, M half a unit in the last place. */
struct scale {
    uint64_t fraction; /* odd */
    int b2, b5, s2, s5, m2, m5;
    int decimal; /* decExp */
};

static int bits_of_five(int power) /* N_5_BITS, and its approximation behind the table's end */
{
    static const uint8_t bits[] = {0,  3,  5,  7,  10, 12, 14, 17, 19, 21, 24, 26, 28, 31,
                                   33, 35, 38, 40, 42, 45, 47, 49, 52, 54, 56, 59, 61};
    return power < (int)sizeof(bits) ? bits[power] : power * 3;
}

static int insignificant_digits(int power) /* insignificantDigitsForPow2 */
{
    return power > 1 && power < 64 ? (int)((double)power * 0.30102999566398120) : 0;
}

static void develop_long(struct digits *digits, uint64_t value, int insignificant) /* developLongDigits */
{
    int exponent = 0;
    if (insignificant > 0) {
        uint64_t power = 1;
        for (int i = 0; i < insignificant; i++)
            power *= 10;
        uint64_t rest = value % power;
        value = value / power + (rest >= power / 2 ? 1 : 0);
        exponent = insignificant;
    }
    for (; value % 10 == 0; value /= 10)
        exponent++;
    char reversed[DIGITS_MAX];
    int count = 0;
    for (; value > 0; value /= 10)
        reversed[count++] = (char)('0' + value % 10);
    for (int i = 0; i < count; i++)
        digits->text[i] = reversed[count - 1 - i];
    digits->count = count;
    digits->exponent = count + exponent;
}

static int estimate_decimal(uint64_t fraction, int exponent) /* estimateDecExp */
{
    uint64_t bits = (UINT64_C(1023) << FRACTION_BITS) | (fraction & ((UINT64_C(1) << FRACTION_BITS) - 1));
    double mantissa;
    memcpy(&mantissa, &bits, sizeof(mantissa));
    return (int)floor((mantissa - 1.5) * 0.289529654 + 0.176091259 + exponent * 0.301029995663981);
}

static void round_up(struct digits *digits) /* roundup */
{
    int at = digits->count - 1;
    while (at > 0 && digits->text[at] == '9')
        digits->text[at--] = '0';
    if (digits->text[at] == '9') {
        digits->text[0] = '1';
        digits->exponent++;
        return;
    }
    digits->text[at]++;
}

/* Rounds the last digit by why the loop stopped; `difference`: the rest against a half. */
static void round_last(struct digits *digits, bool low, bool high, int difference)
{
    if (!high)
        return;
    bool odd = (digits->text[digits->count - 1] & 1) != 0;
    if (!low || difference > 0 || (difference == 0 && odd))
        round_up(digits);
}

static struct scale scale_of(const struct number *number, int tiny)
{
    int trailing = __builtin_ctzll(number->fraction);
    int bits = FRACTION_BITS + 1 - trailing;
    struct scale scale = {.fraction = number->fraction >> trailing};
    scale.decimal = estimate_decimal(number->fraction, number->exponent);
    scale.b5 = scale.decimal < 0 ? -scale.decimal : 0;
    scale.b2 = scale.b5 + tiny + number->exponent;
    scale.s5 = scale.decimal > 0 ? scale.decimal : 0;
    scale.s2 = scale.s5 + tiny;
    scale.m5 = scale.b5;
    scale.m2 = scale.b2 - number->significant;
    scale.b2 -= bits - 1;
    int common = scale.b2 < scale.s2 ? scale.b2 : scale.s2;
    scale.b2 -= common;
    scale.s2 -= common;
    scale.m2 -= common;
    if (bits == 1)
        scale.m2 -= 1; /* below a power of two the neighbour is half as far */
    if (scale.m2 < 0) {
        scale.b2 -= scale.m2;
        scale.s2 -= scale.m2;
        scale.m2 = 0;
    }
    return scale;
}

static uint64_t five_to(int power)
{
    uint64_t result = 1;
    for (; power > 0; power--)
        result *= 5;
    return result;
}

/* Java's int or long arithmetic, which wraps. */
static int64_t wrap(uint64_t value, bool ints)
{
    return ints ? (int64_t)(int32_t)(uint32_t)value : (int64_t)value;
}

/* The case where B and 10 S fit in an int or a long. */
static void develop_small(struct digits *digits, const struct scale *scale, bool ints)
{
    int64_t b = wrap((scale->fraction * five_to(scale->b5)) << scale->b2, ints);
    int64_t s = wrap(five_to(scale->s5) << scale->s2, ints);
    int64_t m = wrap(five_to(scale->m5) << scale->m2, ints);
    int64_t tens = wrap((uint64_t)s * 10, ints);
    bool low = false, high = false;
    int decimal = scale->decimal;
    for (bool first = true; first || (!low && !high); first = false) {
        int64_t quotient = b / s;
        b = wrap((uint64_t)(b % s) * 10, ints);
        m = wrap((uint64_t)m * 10, ints);
        low = m <= 0 || b < m; /* m overflowed: it is above b, and b + m above tens */
        high = m <= 0 || wrap((uint64_t)b + (uint64_t)m, ints) > tens;
        if (first && quotient == 0 && !high)
            decimal--;
        else
            digits->text[digits->count++] = (char)('0' + quotient);
        if (first && (decimal < -3 || decimal >= 8))
            low = high = false; /* E-form has at least two digits */
    }
    int64_t difference = wrap(((uint64_t)b << 1) - (uint64_t)tens, ints);
    digits->exponent = decimal + 1;
    round_last(digits, low, high, difference > 0 ? 1 : difference < 0 ? -1 : 0);
}

static int divide_digit(struct bignat *b, const struct bignat *s)
{
    int quotient = 0;
    for (; bignat_compare(b, s) >= 0; quotient++)
        bignat_subtract(b, s);
    return quotient;
}

static void develop_big(struct digits *digits, const struct scale *scale)
{
    struct bignat b, s, m, tens;
    bignat_set(&b, scale->fraction, scale->b5, scale->b2);
    bignat_set(&s, 1, scale->s5, scale->s2);
    bignat_set(&m, 1, scale->m5, scale->m2);
    bignat_set(&tens, 10, scale->s5, scale->s2);
    bool low = false, high = false;
    int decimal = scale->decimal;
    for (bool first = true; first || (!low && !high); first = false) {
        int quotient = divide_digit(&b, &s);
        bignat_multiply_small(&b, 10);
        bignat_multiply_small(&m, 10);
        low = bignat_compare(&b, &m) < 0;
        high = bignat_compare_sum(&tens, &b, &m) <= 0;
        if (first && quotient == 0 && !high)
            decimal--;
        else
            digits->text[digits->count++] = (char)('0' + quotient);
        if (first && (decimal < -3 || decimal >= 8))
            low = high = false;
    }
    bignat_multiply_small(&b, 2);
    digits->exponent = decimal + 1;
    round_last(digits, low, high, bignat_compare(&b, &tens));
}

typedef unsigned __int128 wide;

/* develop_big where everything fits in 128 bits: nearly every number people store. */
static void develop_wide(struct digits *digits, const struct scale *scale)
{
    wide b = ((wide)scale->fraction * five_to(scale->b5)) << scale->b2;
    wide s = (wide)five_to(scale->s5) << scale->s2;
    wide m = (wide)five_to(scale->m5) << scale->m2;
    wide tens = s * 10;
    bool low = false, high = false;
    int decimal = scale->decimal;
    for (bool first = true; first || (!low && !high); first = false) {
        char digit = '0';
        for (; b >= s; digit++)
            b -= s;
        b *= 10;
        m *= 10;
        low = b < m;
        high = b + m >= tens;
        if (first && digit == '0' && !high)
            decimal--;
        else
            digits->text[digits->count++] = digit;
        if (first && (decimal < -3 || decimal >= 8))
            low = high = false;
    }
    b *= 2;
    digits->exponent = decimal + 1;
    round_last(digits, low, high, b > tens ? 1 : b < tens ? -1 : 0);
}

void javafloat_develop(struct digits *digits, const struct number *number) /* dtoa */
{
    int bits = FRACTION_BITS + 1 - __builtin_ctzll(number->fraction);
    int tiny = bits - number->exponent - 1 > 0 ? bits - number->exponent - 1 : 0;
    if (tiny == 0 && number->exponent <= SMALL_EXPONENT) {
        int spare = number->exponent > number->significant ? number->exponent - number->significant - 1 : 0;
        int shift = number->exponent - FRACTION_BITS;
        uint64_t value = shift >= 0 ? number->fraction << shift : number->fraction >> -shift;
        develop_long(digits, value, insignificant_digits(spare));
        return;
    }
    struct scale scale = scale_of(number, tiny);
    int b_bits = bits + scale.b2 + bits_of_five(scale.b5);
    int tens_bits = scale.s2 + 1 + bits_of_five(scale.s5 + 1);
    if (b_bits < 64 && tens_bits < 64)
        develop_small(digits, &scale, b_bits < 32 && tens_bits < 32);
    else if (scale.b5 < 27 && scale.s5 < 26 && b_bits < 120 && tens_bits < 120)
        develop_wide(digits, &scale);
    else
        develop_big(digits, &scale);
}
