/* temporal_text: epoch numbers and ISO texts of events as PostgreSQL's own date and time texts.
 *
 * All appenders return false, with nothing useful appended, where the value is outside of what the type
 * holds. What Debezium makes of an infinity (it overflows its Java types) becomes infinity again; each of
 * those numbers is out of PostgreSQL's range, save the two of a timestamp in micro- or milliseconds.
 */
#ifndef WALFERRY_CORE_TEMPORAL_TEXT_H
#define WALFERRY_CORE_TEMPORAL_TEXT_H

#include "walferry/buf.h"
#include "walferry/err.h"

#define MICROS_PER_MS 1000LL
#define MICROS_PER_SECOND 1000000LL
#define MICROS_PER_DAY (86400 * MICROS_PER_SECOND)

MUST_CHECK bool temporal_append_date(struct buf *out, int64_t epoch_days);
/* 24:00:00 is a time. */
MUST_CHECK bool temporal_append_time(struct buf *out, int64_t micros);
/* `per_second`: 1000, 1000000 or 1000000000, the unit of `epoch`. */
MUST_CHECK bool temporal_append_timestamp(struct buf *out, int64_t epoch, int64_t per_second);
/* Hours, however many, as PostgreSQL prints an interval without days and months. */
void temporal_append_interval(struct buf *out, int64_t micros);

/* ISO 8601 as Java prints it: signed astronomical years, Z or an offset, date or time alone where the kind
 * says so; and the words infinity and -infinity. An offset is kept for the kinds with a zone, must be Z or
 * absent for the others. */
enum iso_kind { ISO_DATE, ISO_TIME, ISO_TIMETZ, ISO_TIMESTAMP, ISO_TIMESTAMPTZ };
MUST_CHECK bool temporal_append_iso(struct buf *out, struct slice text, enum iso_kind kind);

#endif
