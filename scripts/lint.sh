#!/usr/bin/env bash
# Everything a tool can say about the sources, all of it before it fails: formatting, both compilers, clang-tidy,
# the rules that no compiler checks, and the generated documents.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=''

check() { # NAME COMMAND...
    local name=$1 start=$SECONDS
    shift
    if "$@"; then
        echo "lint: $name: ok ($((SECONDS - start))s)"
    else
        echo "lint: $name: FAILED"
        failed="$failed $name"
    fi
}

# Another version lays out and finds other things, so that a verdict would depend on the machine: only this one's
# counts, and what another one finds is shown for interest.
readonly CLANG_TOOLS=14

is_reference() { "$1" --version 2>/dev/null | grep -q "version $CLANG_TOOLS\."; }

tool() { # NAME: the versioned program where there is one
    command -v "$1-$CLANG_TOOLS" || echo "$1"
}

formatting() {
    if ! is_reference "$format"; then
        echo "clang-format $CLANG_TOOLS is not here; formatting is not checked"
        return 0
    fi
    scripts/c_files.sh | xargs "$format" --dry-run -Werror
}

# The analyzer explores paths until it has seen so many states of a function. Its own 225000, eight seconds for some
# files, is for `make test-long`.
readonly TIDY_NODES=${TIDY_NODES:-30000}

tidy() {
    local findings
    local -a depth=(-Xclang -analyzer-config -Xclang "max-nodes=$TIDY_NODES")
    findings=$(scripts/c_files.sh | grep '\.c$' | grep -v '^./tests/fuzz/' |
        xargs -P "$(nproc)" -n 4 "$tidy" -p build/clang --quiet "${depth[@]/#/--extra-arg=}" 2>/dev/null) && return 0
    printf '%s\n' "$findings" >build/clang-tidy.log
    grep -A 2 ' error: ' build/clang-tidy.log
    echo "how clang-tidy came to each: build/clang-tidy.log"
    is_reference "$tidy" && return 1
    echo "clang-tidy $CLANG_TOOLS is not here; the findings above do not count"
}

format=$(tool clang-format)
tidy=$(tool clang-tidy)
check "clang-format" formatting
check "gcc" scripts/build.sh asan # the same warnings as dev, and what the unit tests run
check "clang" scripts/build.sh clang
check "clang-tidy" tidy
[ ! -e scripts/tidy.py ] || check "project rules" /usr/bin/python3 scripts/tidy.py
check "ctest" ctest --preset asan --label-regex lint --no-tests=ignore

if [ -n "$failed" ]; then
    echo "lint: FAILED:$failed"
    exit 1
fi
echo "lint: ok"
