-- What v1_text.txt and v1_binary.txt hold. test_pgoutput_captured.c says what each message must be.
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE SCHEMA "Odd "" name";
CREATE TABLE plain (id int PRIMARY KEY, name text, price numeric(10,2));
CREATE TABLE child (id int PRIMARY KEY REFERENCES plain);
CREATE TABLE full_row (a int, b text);
ALTER TABLE full_row REPLICA IDENTITY FULL;
CREATE TABLE by_index (a int, b int NOT NULL, c text);
CREATE UNIQUE INDEX by_index_b ON by_index (b);
ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_index_b;
CREATE TABLE nothing (a int);
ALTER TABLE nothing REPLICA IDENTITY NOTHING;
CREATE TABLE toasted (id int PRIMARY KEY, big text, small text);
ALTER TABLE toasted ALTER big SET STORAGE EXTERNAL;
CREATE TABLE typed (id int PRIMARY KEY, m mood, v varchar(12));
CREATE TABLE "Odd "" name"."Tab	le" ("Key" bigint, PRIMARY KEY ("Key"));
CREATE TABLE no_columns ();
CREATE PUBLICATION p FOR ALL TABLES;
SELECT pg_create_logical_replication_slot('changes', 'pgoutput');

BEGIN;
INSERT INTO plain VALUES (1, 'one é', 1.50), (2, NULL, NULL), (3, '', -0.01);
COMMIT;
UPDATE plain SET name = 'zwei' WHERE id = 2;
UPDATE plain SET id = 30 WHERE id = 3;
DELETE FROM plain WHERE id = 2;
INSERT INTO full_row VALUES (1, NULL);
UPDATE full_row SET b = 'x';
DELETE FROM full_row;
INSERT INTO by_index VALUES (1, 2, 'c');
UPDATE by_index SET b = 3;
DELETE FROM by_index;
INSERT INTO nothing VALUES (7);
INSERT INTO toasted VALUES (1, repeat('t', 2500), 's');
UPDATE toasted SET small = 'changed' WHERE id = 1;
UPDATE toasted SET id = 2 WHERE id = 1;
INSERT INTO typed VALUES (1, 'ok', 'twelve');
INSERT INTO "Odd "" name"."Tab	le" VALUES (-9223372036854775808);
INSERT INTO no_columns DEFAULT VALUES;
SELECT pg_logical_emit_message(true, 'alpha', 'in a transaction');
SELECT pg_logical_emit_message(false, 'beta', '\x00ff10'::bytea);
SELECT pg_logical_emit_message(true, '', '');
TRUNCATE full_row RESTART IDENTITY;
TRUNCATE plain CASCADE;
BEGIN;
ALTER TABLE plain ADD COLUMN extra bool;
INSERT INTO plain VALUES (4, 'four', 4, true);
ALTER TABLE plain DROP COLUMN name;
INSERT INTO plain VALUES (5, 5, false);
COMMIT;
SELECT pg_replication_origin_create('elsewhere');
SELECT pg_replication_origin_session_setup('elsewhere');
BEGIN;
SELECT pg_replication_origin_xact_setup('1/ABCD', '2020-01-01 00:00:00+00');
INSERT INTO nothing VALUES (8);
COMMIT;
SELECT pg_replication_origin_session_reset();
COPY nothing FROM stdin;
10
11
12
\.
