#!/usr/bin/env bash
# Runs each fuzz target on its corpus, then on new input: scripts/fuzz.sh [SECONDS_PER_TARGET]
# Without a number all targets together take about a minute and a half on two cores. What crashed a target is
# kept in build/fuzz/crashes; new interesting input in build/fuzz/corpus, out of the repository.
set -uo pipefail
cd "$(dirname "$0")/.."
readonly LANES=2 SMOKE_SECONDS=90 CRASHES=build/fuzz/crashes

scripts/build.sh fuzz fuzzers || exit 1

targets=$(for source in tests/fuzz/fuzz_*.c; do basename "$source" .c; done)
count=$(wc -w <<<"$targets")
seconds=${1:-$((SMOKE_SECONDS * LANES / count))}
mkdir -p $CRASHES
export seconds CRASHES

run_target() {
    local name=$1 seeds=tests/fuzz/corpus/${1#fuzz_} found=build/fuzz/corpus/${1#fuzz_} log=build/fuzz/$1.log
    mkdir -p "$found"
    if [ -z "$(ls -A "$seeds" 2>/dev/null)" ]; then
        echo "$name FAILED: no seeds in $seeds"
        return 1
    fi
    if ! "build/fuzz/bin/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=65536 \
        -print_final_stats=1 -artifact_prefix="$CRASHES/$name-" "$found" "$seeds" >"$log" 2>&1; then
        tail -n 40 "$log"
        echo "$name FAILED: the input is $CRASHES/$name-*"
        return 1
    fi
    echo "$name passed: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs in ${seconds}s"
}
export -f run_target

results=$(tr ' ' '\n' <<<"$targets" | xargs -P $LANES -I{} bash -c 'run_target {} || true')
printf '%s\n' "$results"
passed=$(grep -c ' passed: ' <<<"$results")
echo "$passed passed, $((count - passed)) failed"
[ "$passed" -eq "$count" ]
