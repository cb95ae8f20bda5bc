#!/bin/bash
# Captures the messages of this directory's .sql files again: `lsn hex`, one message a line, as
# pg_logical_slot_peek_binary_changes gives them. LSNs, oids, xids and times differ from run to run.
#   capture.sh [DIRECTORY]     as root: runs the server as the user postgres
# PG_BIN names the server's programs (PostgreSQL 15 or later; two_phase and streaming need 15).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
bin=${PG_BIN:-/usr/lib/postgresql/15/bin}
work=$(mktemp -d)
as=()
if [ "$(id -u)" = 0 ]; then
    as=(runuser -u postgres --)
    chown postgres "$work"
fi
stop() {
    "${as[@]}" "$bin/pg_ctl" -D "$work/data" -m immediate -s stop || true
    rm -rf "$work"
}
trap stop EXIT
cd "$work"
"${as[@]}" "$bin/initdb" -D "$work/data" -A trust -U postgres -E UTF8 --no-locale -N >/dev/null
options="-c listen_addresses='' -c unix_socket_directories=$work -c wal_level=logical -c fsync=off"
options+=" -c logical_decoding_work_mem=64kB -c max_prepared_transactions=10 -c autovacuum=off"
"${as[@]}" "$bin/pg_ctl" -D "$work/data" -o "$options" -l "$work/log" -w -s start

psql() {
    "${as[@]}" "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$work" -U postgres -d "$@"
}

# capture DATABASE OUTPUT [PLUGIN OPTION, VALUE]...
capture() {
    local database=$1 file=$2 list
    shift 2
    list=$(printf ",'%s'" "$@")
    psql "$database" -c "SELECT lsn || ' ' || encode(data, 'hex') FROM pg_logical_slot_peek_binary_changes(
        '$database', NULL, NULL, 'publication_names', 'p'$list)" >"$out/$file"
}

for sql in changes streaming two_phase; do
    psql postgres -c "CREATE DATABASE $sql"
    psql "$sql" -f - <"$here/$sql.sql" >/dev/null
done
capture changes v1_text.txt proto_version 1 messages true
capture changes v1_binary.txt proto_version 1 messages true binary true
capture streaming v2_streaming.txt proto_version 2 messages true streaming on
capture two_phase v3_two_phase.txt proto_version 3 two_phase on streaming on

# Every character from 1 to 300 alone, and between backslashes; NULL, empty text and \N as a text.
copy="SELECT n, chr(n), '\\' || chr(n) || '\\', NULL, '', '\\N' FROM generate_series(1, 300) n"
psql changes -c "COPY ($copy) TO STDOUT" >"$out/../copytext/characters.txt"
