-- What v2_streaming.txt holds: logical_decoding_work_mem is 64 kB, so rows of the unpublished table make the
-- server stream a transaction that is not committed.
CREATE TABLE t (id int PRIMARY KEY, v text);
CREATE TABLE filler (v text);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE typed (id int PRIMARY KEY, m mood);
CREATE PUBLICATION p FOR TABLE t, typed;
SELECT pg_create_logical_replication_slot('streaming', 'pgoutput');

BEGIN;
INSERT INTO t VALUES (1, 'first');
INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 100);
INSERT INTO t VALUES (2, 'second');
UPDATE t SET id = 20 WHERE id = 2;
DELETE FROM t WHERE id = 20;
INSERT INTO typed VALUES (1, 'ok');
SELECT pg_logical_emit_message(true, 'alpha', 'streamed');
TRUNCATE typed;
INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 100);
SAVEPOINT one;
INSERT INTO t VALUES (3, 'rolled back');
INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 100);
ROLLBACK TO one;
INSERT INTO t VALUES (4, 'last');
COMMIT;
BEGIN;
INSERT INTO t VALUES (5, 'all rolled back');
INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 100);
ROLLBACK;
INSERT INTO t VALUES (6, 'not streamed');
