-- What v3_two_phase.txt holds.
CREATE TABLE t (id int PRIMARY KEY, v text);
CREATE TABLE filler (v text);
CREATE PUBLICATION p FOR TABLE t;
SELECT pg_create_logical_replication_slot('two_phase', 'pgoutput', false, true);

BEGIN;
INSERT INTO t VALUES (1, 'kept');
PREPARE TRANSACTION 'kept one';
COMMIT PREPARED 'kept one';
BEGIN;
INSERT INTO t VALUES (2, 'lost');
PREPARE TRANSACTION 'lost one';
ROLLBACK PREPARED 'lost one';
BEGIN;
INSERT INTO t VALUES (3, 'streamed');
INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 100);
PREPARE TRANSACTION 'streamed one';
COMMIT PREPARED 'streamed one';
