#!/usr/bin/env bash
# The integration tests on the programs in build/bin: scripts/integration.sh [--long] [pytest's own options]
# PG_BIN names another server's directory of programs. Without --long, tests marked long are left out.
set -euo pipefail
cd "$(dirname "$0")/.."
selection=(-m 'not long')
if [ "${1:-}" = --long ]; then
    selection=()
    shift
fi
# Two at a time: much of a test is waiting.
exec /usr/bin/python3 -m pytest -n 2 "${selection[@]}" "$@"
