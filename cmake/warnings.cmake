# Every target links walferry_warnings; WALFERRY_WERROR turns warnings into errors (all presets but release).
option(WALFERRY_WERROR "Treat warnings as errors" ON)
add_library(walferry_warnings INTERFACE)
target_compile_options(walferry_warnings INTERFACE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith
    -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wswitch-enum -Wimplicit-fallthrough
    -Wnull-dereference -Wconversion
    $<$<BOOL:${WALFERRY_WERROR}>:-Werror>)
