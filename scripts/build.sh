#!/usr/bin/env bash
# Configures and builds a preset, silent unless something is wrong: scripts/build.sh PRESET [TARGET]
set -euo pipefail
cd "$(dirname "$0")/.."
# The lint and the unit tests want the same build at the same time: one makes it, the other waits.
mkdir -p build
exec 9>"build/.lock-$1"
flock 9
cmake --preset "$1" >/dev/null
cmake --build --preset "$1" ${2:+--target "$2"} -- --quiet
