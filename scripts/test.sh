#!/usr/bin/env bash
# Runs the named parts, all of them whatever fails, and says at the end how each went: scripts/test.sh PART...
# Compilers fill both cores by themselves, so the parts that build run in two lanes and the integration tests,
# which wait on clocks of servers, have the machine alone afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly LOGS=build/test-logs
rm -rf "$LOGS"
mkdir -p "$LOGS"

command_of() {
    case $1 in
        lint) echo scripts/lint.sh ;;
        lint-long) echo env TIDY_NODES=225000 scripts/lint.sh ;;
        unit) echo scripts/unit.sh asan ;;
        tsan) echo scripts/unit.sh tsan ;;
        fuzz) echo scripts/fuzz.sh ;;
        fuzz-long) echo scripts/fuzz.sh 300 ;;
        build) echo make --no-print-directory build ;;
        integration) echo scripts/integration.sh ;;
        integration-long) echo scripts/integration.sh --long ;;
        *) echo "test.sh: no such part: $1" >&2; exit 2 ;;
    esac
}

run_part() {
    local start=$SECONDS command status=0
    command=$(command_of "$1")
    $command >"$LOGS/$1.log" 2>&1 || status=$?
    printf '%s %s\n' "$status" "$((SECONDS - start))" >"$LOGS/$1.result"
    # One write, so that two lanes do not mix their lines.
    printf '\n=== %s (%ss)\n%s\n' "$1" "$((SECONDS - start))" "$(cat "$LOGS/$1.log")"
}

run_lane() {
    local part
    for part in "$@"; do
        run_part "$part"
    done
}

first='' second='' last=''
for part in "$@"; do
    command_of "$part" >/dev/null
    case $part in
        lint*) first="$first $part" ;;
        integration*) first="$first build" last="$last $part" ;;
        *) second="$second $part" ;;
    esac
done

echo "test: $* (logs in $LOGS)"
# shellcheck disable=SC2086 # lists of words
{
    run_lane $first &
    run_lane $second &
    wait
    run_lane $last
}

failed=0
printf '\n'
for part in "$@"; do
    read -r status seconds <"$LOGS/$part.result"
    [ "$status" -eq 0 ] && verdict=passed || { verdict=FAILED failed=1; }
    printf '%-18s %-7s %4ss\n' "$part" "$verdict" "$seconds"
done
printf '%-18s %-7s %4ss\n' all "$([ $failed -eq 0 ] && echo passed || echo FAILED)" "$SECONDS"
exit $failed
