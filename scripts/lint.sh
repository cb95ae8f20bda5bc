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

formatting() { scripts/c_files.sh | xargs clang-format --dry-run -Werror; }

tidy() {
    # What it reports goes to standard output; the counts of what it suppressed to standard error.
    scripts/c_files.sh | grep '\.c$' | grep -v '^./tests/fuzz/' | xargs -P "$(nproc)" -n 4 clang-tidy -p build/clang --quiet 2>/dev/null
}

check "clang-format" formatting
check "gcc" scripts/build.sh dev
check "clang" scripts/build.sh clang
check "clang-tidy" tidy
[ ! -e scripts/tidy.py ] || check "project rules" /usr/bin/python3 scripts/tidy.py
check "ctest" ctest --preset dev --label-regex lint --no-tests=ignore

if [ -n "$failed" ]; then
    echo "lint: FAILED:$failed"
    exit 1
fi
echo "lint: ok"
