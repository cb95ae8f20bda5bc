# Writes OUTPUT, the header that says which sources were built; rewritten only when that changed.
# Run as a script at every build, so that a new commit is seen without configuring again.
set(description "")
if(EXISTS ${SOURCE_DIR}/.git)
    execute_process(
        COMMAND git -c safe.directory=${SOURCE_DIR} -C ${SOURCE_DIR} describe --tags --always --dirty
        OUTPUT_VARIABLE description OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
else()
    # git archive puts the description, then the commit, into VERSION; the first is empty where no tag is.
    file(STRINGS ${SOURCE_DIR}/VERSION lines REGEX "^[^#$]")
    if(lines)
        list(GET lines 0 description)
    endif()
endif()
if(description STREQUAL "")
    set(description "unknown")
endif()

set(text "#define WALFERRY_VERSION \"${VERSION}\"\n#define WALFERRY_GIT_DESCRIPTION \"${description}\"\n")
set(old "")
if(EXISTS ${OUTPUT})
    file(READ ${OUTPUT} old)
endif()
if(NOT text STREQUAL old)
    file(WRITE ${OUTPUT} "${text}")
endif()
