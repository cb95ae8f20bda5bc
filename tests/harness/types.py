"""A table with every common type, and rows at their edges: also those that the events' form loses and only the
exact headers carry (zones of timetz, trailing zeros of numeric)."""

TYPES_TABLE = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy, really');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE types (
    n int PRIMARY KEY, small smallint, big bigint, r real, d double precision,
    price numeric(12,2), plain numeric, yes boolean,
    line text, var varchar(40), fixed char(8), bytes bytea,
    ts timestamp, ts3 timestamp(3), tz timestamptz, day date, clock time, clock3 time(3), clocktz timetz,
    id uuid, doc json, docb jsonb, span interval,
    feeling mood, dom positive, ip inet, net cidr, mac macaddr,
    plains numeric[], prices numeric(8,2)[], b bit(12), vb varbit, cash money, flex numrange, 
    clocktzs timetz[], flexes numrange[]
);
"""

TYPES_ROWS = """
INSERT INTO types VALUES
({offset} + 1, -32768, -9223372036854775808, 0.1, 0.1, -1234567890.12, 123456789012345678901234567890.123456789,
 true, E'quotes " \\\\ and\\nnewline\\tand ünïcödé 🐘', 'var', 'fix', '\\x00ff10', '2024-02-29 23:59:59.123456',
 '2024-02-29 23:59:59.123', '2024-02-29 23:59:59.123456+02', '2024-02-29', '23:59:59.999999', '12:34:56.789',
 '12:34:56.789+05:30', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{{"a": 1, "b":  [1, 2]}}', '{{"z": null, "a": "x"}}',
 '1 year 2 mons 3 days 04:05:06.789', 'happy, really', 5, '192.168.1.5/24', '10.0.0.0/8', '08:00:2b:01:02:03',
 '{{1.00,2.5}}', '{{1.00,2.50}}', B'000000000110', B'00010', -1234.50, '[1.00,2.0)',
 '{{12:00:00+02,24:00:00-01}}', '{{"[1.00,2.5)",NULL}}'),
({offset} + 2, 32767, 9223372036854775807, 'NaN', 'Infinity', 0, 0, false, '', '', '', '', '1999-12-31 00:00:00',
 '1969-12-31 23:59:59.999', '1969-12-31 23:59:59.999999+00', '1969-12-31', '00:00:00', '00:00:00', '24:00:00+00',
 '00000000-0000-0000-0000-000000000000', 'null', '[]', '-1 mons +2 days -03:04:05', 'sad', 1, '::1', 'fe80::/10',
 'ff:ff:ff:ff:ff:ff', '{{0.0,NULL,NaN}}', '{{}}', B'000000000000', B'', 0, 'empty', '{{00:00:00+00}}', '{{}}'),
({offset} + 3, 0, 0, -1.5e-30, 1.7976931348623157e308, 99999999.99, -0.000000001, NULL, 'null', 'NULL', '\\N', '\\x',
 '0044-03-15 12:00:00 BC', '9999-12-31 23:59:59.999', '12345-01-01 00:00:00+00', '0044-03-15 BC', '23:00:00',
 '23:59:59.999', '23:59:59.999999-15:59', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '"text"', '1e400', '0', 'ok', 2147483647,
 '0.0.0.0', '0.0.0.0/0', '00:00:00:00:00:00',
 '{{}}', NULL, B'111111111111', B'1', 92233720368547758.07, '(,10.50]', '{{}}', NULL),
({offset} + 4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
 NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
 NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
"""

TYPES_CHANGES = [
    "UPDATE types SET clock = '24:00:00', yes = NOT yes WHERE n = 103",
    "UPDATE types SET small = 7, line = 'changed' WHERE n = 101",
    "UPDATE types SET (r, d, plain) = (16777216, 1e-300, 10.50) WHERE n = 102",
    "UPDATE types SET (plain, plains, clocktz) = (10.500, '{10.50,10}', '01:00:00-08') WHERE n = 101",
    "UPDATE types SET ts = '2038-01-19 03:14:07.5', tz = '1582-10-04 00:00:00+00', day = '1582-10-15' WHERE n = 103",
    "UPDATE types SET doc = ('{\"long\": \"' || repeat('y', 3000) || '\"}')::json WHERE n = 104",
    "UPDATE types SET n = n + 1000 WHERE n = 104",
    "DELETE FROM types WHERE n = 102",
]
