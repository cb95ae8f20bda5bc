/* javafloat: decimal digits of binary floating point, as Java's Double.toString writes them.
 *
 * Debezium's floats pass through java.lang.Double and Float of the JDK 17 that the captures were made with.
 * Its algorithm (jdk.internal.math.FloatingDecimal) is mostly the shortest text, but not always: 2e23 is
 * 1.9999999999999998E23, the float 123456789 is 1.23456792E8 and the float 2.2e-44 is 2.24E-44. The bytes are
 * the contract, so the algorithm is followed step by step; each text reads back as the same number.
 */
#ifndef WALFERRY_JAVAFLOAT_H
#define WALFERRY_JAVAFLOAT_H

#include <stdbool.h>

#define JAVAFLOAT_SIZE 32

/* Text of a finite number at `to` (JAVAFLOAT_SIZE bytes of room); returns the end. */
char *javafloat_write_double(char *to, double value);
char *javafloat_write_float(char *to, float value);

#endif
