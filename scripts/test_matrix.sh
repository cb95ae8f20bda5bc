#!/usr/bin/env bash
# The integration tests on every PostgreSQL server found on this machine, or on those that PG_BINS names
# (directories of server programs, separated by colons). scripts/servers.py fetches the versions that the system
# has no packages of.
set -euo pipefail
cd "$(dirname "$0")/.."

servers() {
    local directory
    if [ -n "${PG_BINS:-}" ]; then
        tr ':' '\n' <<<"$PG_BINS"
        return
    fi
    for directory in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql*/bin /opt/postgresql*/bin \
        $(scripts/servers.py --list); do
        [ ! -x "$directory/postgres" ] || realpath "$directory"
    done
}

status=0
results=''
for directory in $(servers); do
    version=$("$directory/postgres" --version | sed 's/.*) //')
    echo "=== PostgreSQL $version ($directory)"
    verdict=passed
    PG_BIN=$directory scripts/integration.sh || { verdict=FAILED status=1; }
    results="$results$(printf '%-24s %s' "PostgreSQL $version" $verdict)"$'\n'
done
[ -n "$results" ] || { echo "test-matrix: error: no PostgreSQL server found: run \`make setup\`" >&2; exit 1; }
printf '\n%s' "$results"
exit $status
