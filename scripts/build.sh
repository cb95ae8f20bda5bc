#!/usr/bin/env bash
# Configures and builds a preset, silent unless something is wrong: scripts/build.sh PRESET [TARGET]
set -euo pipefail
cd "$(dirname "$0")/.."
cmake --preset "$1" >/dev/null
cmake --build --preset "$1" ${2:+--target "$2"} -- --quiet
