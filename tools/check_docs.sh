#!/bin/sh
# Fails where a generated document differs from what the tables say: tools/check_docs.sh GENDOCS DOCS_DIRECTORY
set -u
failed=0
for document in config=CONFIGURATION metrics=METRICS errors=ERRORS; do
    file="$2/${document#*=}.md"
    if ! "$1" "${document%%=*}" | diff -u "$file" -; then
        echo "$file is not current: run 'make docs' and commit it" >&2
        failed=1
    fi
done
exit $failed
