# Every library through pkg-config. .deps/ holds what `make setup` built because the system's is missing or too old.
find_package(PkgConfig REQUIRED)
list(PREPEND CMAKE_PREFIX_PATH ${CMAKE_SOURCE_DIR}/.deps)

# Why a minimum: libpq 14 has pipeline mode; librdkafka before 2.3 can lose idempotence after a timeout;
# yyjson before 0.9 had a double free.
function(walferry_require prefix module why)
    pkg_check_modules(${prefix} IMPORTED_TARGET GLOBAL ${module})
    if(NOT ${prefix}_FOUND)
        message(FATAL_ERROR "${module} (${why}) was not found through pkg-config: run `make setup`")
    endif()
    set(${prefix}_VERSION ${${prefix}_VERSION} PARENT_SCOPE)
endfunction()

walferry_require(LIBPQ "libpq>=14" "PostgreSQL's client library")
walferry_require(LIBUV "libuv" "the event loop")
walferry_require(SQLITE "sqlite3" "the local log")
walferry_require(MICROHTTPD "libmicrohttpd" "the HTTP server")
walferry_require(YYJSON "yyjson>=0.9" "the JSON parser")
walferry_require(RDKAFKA "rdkafka>=2.3" "the Kafka client; older ones can lose idempotence after a timeout")
if(WALFERRY_TESTS)
    walferry_require(CMOCKA "cmocka" "the unit tests")
endif()
