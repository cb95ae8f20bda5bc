# Optimised builds are hardened; sanitizers bring their own checks and exclude some of these.
# Asserts guard our own bugs and stay on everywhere: NDEBUG is never set.
foreach(type RELEASE RELWITHDEBINFO MINSIZEREL)
    string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_${type} "${CMAKE_C_FLAGS_${type}}")
endforeach()

include(CheckPIESupported)
check_pie_supported(LANGUAGES C)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(hardened ON)
if(NOT CMAKE_BUILD_TYPE MATCHES "^Rel" OR CMAKE_C_FLAGS MATCHES "-fsanitize|--coverage")
    set(hardened OFF)
endif()
option(WALFERRY_HARDENING "Build with the hardening flags" ${hardened})
if(WALFERRY_HARDENING)
    set(fortify_level 2) # clang 14 knows no more
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        set(fortify_level 3)
    endif()
    # -U first: some distributions define a level of their own.
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=${fortify_level} -fstack-protector-strong
        -fstack-clash-protection)
    add_link_options(-Wl,-z,relro,-z,now)
endif()
