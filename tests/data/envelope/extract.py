#!/usr/bin/env python3
"""Makes the files of this folder: extract.py CASES OUTPUT CASE...

CASES is a folder of captures of the real Debezium connector (setup.sql, changes.sql, case.json, golden.jsonl).
The SQL runs on the PostgreSQL that PGHOST, PGPORT, PGUSER name; what pgoutput sends for it becomes the input of
a test, the captured records its expected output. Positions, times and transaction ids of the input are the
captured ones, so that the test compares bytes without masking anything. Columns of types that the encoder does
not know yet are cut out of both.
"""
import collections, json, os, re, struct, subprocess, sys

SETTINGS = ("-c datestyle=ISO -c timezone=UTC -c intervalstyle=postgres -c bytea_output=hex "
            "-c extra_float_digits=1 -c lc_monetary=C -c client_encoding=UTF8")
EPOCH_2000_US = 946684800 * 1000000
FACTS = """SELECT json_agg(json_build_object('oid', c.oid::bigint, 'name', a.attname, 'not_null', a.attnotnull OR t.typnotnull,
  'base_oid', b.oid::bigint, 'base_typmod', CASE WHEN t.typtype = 'd' THEN b.typmod ELSE a.atttypmod END, 'type_name', b.name, 'category', b.category,
  'kind', b.kind, 'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
  'labels', (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = b.oid),
  'key', coalesce(array_position(k.indkey::int2[], a.attnum::int2), -1)))
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
JOIN LATERAL (WITH RECURSIVE r AS (SELECT t.oid, t.typbasetype, t.typtypmod typmod, t.typname, t.typtype, t.typcategory
   UNION ALL SELECT u.oid, u.typbasetype, CASE WHEN u.typtype = 'd' AND u.typtypmod >= 0 THEN u.typtypmod ELSE r.typmod END, u.typname, u.typtype, u.typcategory
   FROM r JOIN pg_type u ON u.oid = r.typbasetype)
   SELECT oid, typmod, typname AS name, typtype AS kind, typcategory AS category FROM r WHERE typbasetype = 0) b ON true
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN LATERAL (SELECT indkey FROM pg_index WHERE indrelid = c.oid AND indisunique AND indexprs IS NULL
   ORDER BY indisprimary DESC, indexrelid LIMIT 1) k ON true
WHERE c.relkind IN ('r', 'p') AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"""
SKIPPED_TYPES = {"point", "hstore", "tsquery"}
# What walferry writes otherwise on purpose (docs/COMPATIBILITY.md): names while streaming, defaults that are
# infinite, the key under REPLICA IDENTITY USING INDEX beside a primary key.
UNMAPPED_ARRAYS = {"_mood", "_dint", "_dtext", "_hstore"}
DEVIATING_TYPES = {"name"}
DEVIATING_COLUMNS = {"31_defaults": {"di", "tsi"}, "32_defaults_true_null": {"di", "tsi"}}
DEVIATING_TABLES = {"34_replica_identity": {"public.ri_index"}}
UNCHANGED = "walferry.unchanged.columns"  # our own header


def psql(sql, db, cwd=None, quiet=True):
    env = {**os.environ, "PGDATABASE": db, "PGOPTIONS": SETTINGS, "PGCLIENTENCODING": "UTF8"}
    run = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1"] + (["-o", os.devnull] if quiet else []) + ["-f", "-"],
                         input=sql, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(run.stderr)
    return run.stdout


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form):
        value, = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return value

    def text(self):
        end = self.data.index(b"\0", self.at)
        value, self.at = self.data[self.at:end].decode(), end + 1
        return value

    def tuple(self):
        values = []
        for _ in range(self.take("h")):
            kind = self.take("c")
            if kind == b"t":
                length = self.take("i")
                values.append(self.data[self.at:self.at + length].decode())
                self.at += length
            else:
                values.append(None if kind == b"n" else True)
        return values


def changes(db, facts, relations, dropped):
    """What pgoutput sends since the last call: ("relation", oid) and ("event", {…})."""
    out = psql("SELECT encode(data, 'hex') FROM pg_logical_slot_get_binary_changes('extract', NULL, NULL, "
               "'proto_version', '1', 'publication_names', 'parity', 'messages', 'true')", db, quiet=False)
    for line in out.split():
        r = Reader(bytes.fromhex(line))
        kind = r.take("c").decode()
        if kind == "R":
            oid, schema, name, identity = r.take("I"), r.text(), r.text(), r.take("c").decode()
            columns = []
            for _ in range(r.take("h")):
                flags, column, type_oid, typmod = r.take("b"), r.text(), r.take("I"), r.take("i")
                f = facts[oid, column]
                columns.append({"name": column, "type_oid": type_oid, "typmod": typmod, "identity": flags & 1 != 0, "deviates": column in dropped, **f})
            wire = [(c["name"], c["type_oid"], c["typmod"], c["identity"]) for c in columns]
            if oid in relations and wire == relations[oid]["wire"] and relations[oid]["identity"] == identity:
                continue  # each call is a session that sends all relations again; the real stream was one
            relations[oid] = {"wire": wire, "oid": oid, "schema": schema, "name": name, "identity": identity, "columns": columns}
            yield "relation", oid
        elif kind == "I":
            oid = r.take("I"); r.take("c")
            yield "event", {"op": "c", "oid": oid, "after": r.tuple()}
        elif kind in "UD":
            oid, which, event = r.take("I"), r.take("c").decode(), {"op": "u" if kind == "U" else "d"}
            event["oid"] = oid
            if which in "KO":
                event["old_kind"], event["before"] = which, r.tuple()
                which = r.take("c").decode() if kind == "U" else ""
            if kind == "U":
                event["after"] = r.tuple()
            yield "event", event
        elif kind == "T":
            count, _ = r.take("i"), r.take("b")
            for _ in range(count):
                yield "event", {"op": "t", "oid": r.take("I")}


def members(text, at):
    """Name, start and end of each member of the object that begins at `at`, and where the object ends."""
    decoder, found, at = json.JSONDecoder(), [], at + 1
    while text[at] != "}":
        start = at + (text[at] == ",")
        name, end = decoder.raw_decode(text, start)
        _, end = decoder.raw_decode(text, end + 1)
        found.append((name, start, end))
        at = end
    return found, at + 1


def without(text, at, names):
    """The object at `at` without some members."""
    found, end = members(text, at)
    return "{" + ",".join(text[s:e] for n, s, e in found if n not in names) + "}", end


def cut_row(text, names):
    if not names or text is None:
        return text
    for row in ("before", "after"):
        match = re.search('"%s":\\{' % row, text)
        if match:
            at = match.end() - 1
            cut, end = without(text, at, names)
            text = text[:at] + cut + text[end:]
    return text


def cut_fields(text, at, names):
    """The array of field schemas at `at` without some fields."""
    decoder, kept, at = json.JSONDecoder(), [], at + 1
    while text[at] != "]":
        start = at + (text[at] == ",")
        field, at = decoder.raw_decode(text, start)
        if field["field"] not in names:
            kept.append(text[start:at])
    return "[" + ",".join(kept) + "]", at + 1


def cut_schema(text, names):
    """The value's schema without some columns: the first two fields are before and after."""
    if not names:
        return text
    head = '{"type":"struct","fields":['
    row, at = '{"type":"struct","fields":', len(head)
    for _ in ("before", "after"):
        cut, end = cut_fields(text, at + len(row), names)
        text = text[:at + len(row)] + cut + text[end:]
        _, at = json.JSONDecoder().raw_decode(text, at)
        at += 1
    return text


def split(text):
    """(schema, payload) of a record; schema None where there is none."""
    if text is None or not text.startswith('{"schema":'):
        return None, text
    _, end = json.JSONDecoder().raw_decode(text, len('{"schema":'))
    return text[len('{"schema":'):end], text[end + len(',"payload":'):-1]


def skipped(column):
    return column["type_name"] in SKIPPED_TYPES | DEVIATING_TYPES or column["deviates"] or column["type_name"] in UNMAPPED_ARRAYS


def clean(relation):
    keys = ("name", "type_oid", "typmod", "identity", "base_oid", "base_typmod", "not_null", "key_position", "type_name", "labels", "default")
    return {**{k: relation[k] for k in ("oid", "schema", "name", "identity")},
            "columns": [[c[k] for k in keys] for c in relation["columns"] if not skipped(c)]}


def compact(entry, name, seen):
    """Keeps the files small: the whole value and all headers only once per table and op; else the rows, and
    the headers that are not the same in each record."""
    if entry["value"] is None:
        return entry
    kind = name, json.loads(entry["value"])["op"]
    if kind in seen and '"transaction":null' in entry["value"]:
        entry["rows"] = entry.pop("value").split(',"source":{"version"')[0]
    if kind in seen:
        entry["own_headers"] = [h for h in entry.pop("headers") if not h[0].startswith("__debezium.context.")]
    seen.add(kind)
    return entry


def run_case(cases, case, out):
    folder = os.path.join(cases, case)
    spec = json.load(open(folder + "/case.json"))
    queues = collections.defaultdict(collections.deque)
    for line in open(folder + "/golden.jsonl"):
        record = json.loads(line)
        queues[record["topic"].split(".", 1)[1]].append(record)
    psql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = 'extract'", "postgres")
    psql("DROP DATABASE IF EXISTS extract WITH (FORCE)", "postgres")
    psql("CREATE DATABASE extract TEMPLATE template0", "postgres")
    psql(open(folder + "/setup.sql").read(), "extract", folder)
    psql("CREATE PUBLICATION parity FOR ALL TABLES", "extract")
    psql("SELECT pg_create_logical_replication_slot('extract', 'pgoutput')", "extract")
    connector, worker = spec.get("connector", {}), spec.get("worker", {})
    number = case.split("_")[0]
    lines = [{"options": {"prefix": "parity" + number, "database": "parity_" + number, "schemas": spec.get("schemas", False),
              "decimal": connector.get("decimal.handling.mode", "precise"), "time": connector.get("time.precision.mode", "adaptive"),
              "binary": connector.get("binary.handling.mode", "bytes"), "interval": connector.get("interval.handling.mode", "numeric"),
              "tombstones": connector.get("tombstones.on.delete", "true") == "true",
              "extended": connector.get("extended.headers.enabled", "true") == "true",
              "replace_null": worker.get("value.converter.replace.null.with.default", "true") == "true"}}]
    relations, schemas, seen = {}, {}, set()
    for part in re.split(r"^-- @.*$", open(folder + "/changes.sql").read(), flags=re.M):
        psql(part, "extract", folder)
        facts = {}
        for f in json.loads(psql(FACTS, "extract", quiet=False) or "[]") or []:
            f["key_position"] = f.pop("key") + 1
            f["not_null"] = f["not_null"]
            facts[f.pop("oid"), f.pop("name")] = f
        for what, data in changes("extract", facts, relations, DEVIATING_COLUMNS.get(case, set())):
            if what == "relation":
                lines.append({"relation": clean(relations[data])})
                continue
            relation = relations[data["oid"]]
            name = re.sub("[^A-Za-z0-9._-]", "_", relation["schema"] + "." + relation["name"])
            queue = queues[name]
            if not queue or name in DEVIATING_TABLES.get(case, ()):
                continue
            dropped = {c["name"] for c in relation["columns"] if skipped(c)}
            records = [queue.popleft()]
            payload = json.loads(split(records[0]["value"])[1])
            if payload["op"] == "d" and queue and queue[0]["value"] is None:
                records.append(queue.popleft())
            if payload["op"] == "d" and data["op"] == "u":
                records.append(queue.popleft())
            source, block = payload["source"], payload["transaction"] or {}
            sequence = json.loads(source["sequence"])
            event = {"op": data["op"], "relation": data["oid"], "old_kind": data.get("old_kind"), "xid": source["txId"],
                     "lsn": source["lsn"], "last_end_lsn": int(sequence[0] or 0), "commit_time_us": source["ts_us"],
                     "event_time_ns": payload["ts_ns"], "total_order": block.get("total_order", 0),
                     "collection_order": block.get("data_collection_order", 0)}
            for row in ("before", "after"):
                if row in data:
                    event[row] = [v for v, c in zip(data[row], relation["columns"]) if not skipped(c)]
            expected = []
            for record in records:
                entry = {"topic": record["topic"], "headers": record["headers"]}
                for side in ("key", "value"):
                    schema, payload = split(record[side])
                    payload = cut_row(payload, dropped) if side == "value" else payload
                    if schema is not None and schemas.get((name, side)) != schema:
                        schemas[name, side] = schema
                        entry[side + "_schema"] = cut_schema(schema, dropped) if side == "value" else schema
                    entry[side] = payload
                if record["value"] is not None and "after" in data and record is records[-1]:
                    unknown = [c["name"] for v, c in zip(data["after"], relation["columns"])
                               if v is True and c["type_name"] in ("numeric", "_numeric", "_float8", "_timestamp") and data.get("old_kind") != "O"]
                    if unknown:
                        entry["headers"] = entry["headers"] + [[UNCHANGED, json.dumps(unknown, separators=(",", ":"))]]
                if data["op"] == "u" and len(records) > 1 and record is records[-1]:
                    entry["event_time_ns"] = json.loads(payload)["ts_ns"]
                expected.append(compact(entry, name, seen))
            if len(records) == 3 and block:
                continue  # two counts in one event: test_envelope.c has that
            if all("rows" in e or e["value"] is None for e in expected):
                event = {k: v for k, v in event.items() if k in ("op", "relation", "old_kind", "before", "after")}
            lines.append({"event": event, "records": expected})
    with open(os.path.join(out, case + ".jsonl"), "w") as f:
        for line in lines:
            if len(json.dumps(line)) < 40000:
                f.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(case, len(lines), "lines,", os.path.getsize(f.name), "bytes; left over:", {k: len(v) for k, v in queues.items() if v})


for case in sys.argv[3:]:
    run_case(sys.argv[1], case, sys.argv[2])
