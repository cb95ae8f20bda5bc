#!/usr/bin/env bash
# Prints every C file of the tree, from a clone or a tarball: what is formatted and linted.
set -euo pipefail
cd "$(dirname "$0")/.."
find . \( -path ./build -o -path './.*' \) -prune -o -name '*.[ch]' -print | sort
