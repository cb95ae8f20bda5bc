/* cmocka's header wants these before it, in this order. */
#ifndef WALFERRY_CMOCKA_ALL_H
#define WALFERRY_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
