/* pgtype: the fixed OIDs of PostgreSQL's built-in types that have a rule of their own.
 *
 * Source: pg_type.dat; they never change between versions.
 */
#ifndef WALFERRY_PGTYPE_H
#define WALFERRY_PGTYPE_H

enum pgtype {
    PGTYPE_BOOL = 16,
    PGTYPE_BYTEA = 17,
    PGTYPE_CHAR = 18, /* "char" */
    PGTYPE_NAME = 19,
    PGTYPE_INT8 = 20,
    PGTYPE_INT2 = 21,
    PGTYPE_INT4 = 23,
    PGTYPE_TEXT = 25,
    PGTYPE_OID = 26,
    PGTYPE_JSON = 114,
    PGTYPE_XML = 142,
    PGTYPE_FLOAT4 = 700,
    PGTYPE_FLOAT8 = 701,
    PGTYPE_MACADDR8 = 774,
    PGTYPE_MONEY = 790,
    PGTYPE_MACADDR = 829,
    PGTYPE_INET = 869,
    PGTYPE_CIDR = 650,
    PGTYPE_BPCHAR = 1042,
    PGTYPE_VARCHAR = 1043,
    PGTYPE_DATE = 1082,
    PGTYPE_TIME = 1083,
    PGTYPE_TIMESTAMP = 1114,
    PGTYPE_TIMESTAMPTZ = 1184,
    PGTYPE_INTERVAL = 1186,
    PGTYPE_TIMETZ = 1266,
    PGTYPE_BIT = 1560,
    PGTYPE_VARBIT = 1562,
    PGTYPE_NUMERIC = 1700,
    PGTYPE_UUID = 2950,
    PGTYPE_JSONB = 3802,
};

#endif
