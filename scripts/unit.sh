#!/usr/bin/env bash
# Builds a preset and runs its unit tests: scripts/unit.sh asan|tsan|coverage|dev
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh "$1"
ctest --preset "$1" --label-regex unit --parallel "$(nproc)"
