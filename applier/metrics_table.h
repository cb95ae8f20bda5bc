/* metrics_table: every metric of walferry-applier, in one table.
 *
 * records read = applied + skipped + rejected + rolled back + pending, where applied, skipped and rolled back
 * also count BEGIN, END and tombstones of what they belong to.
 */
#ifndef APPLIER_METRICS_TABLE_H
#define APPLIER_METRICS_TABLE_H

#include "walferry/metrics.h"

#define APPLIER_METRICS_PREFIX "walferry_applier_"

/* clang-format off */
#define APPLIER_METRICS(X)                                                                                           \
    X(RECORDS_READ_TOTAL, "records_read_total", METRIC_COUNTER, "records", "records read from the transport")        \
    X(BYTES_READ_TOTAL, "bytes_read_total", METRIC_COUNTER, "bytes", "keys and values read from the transport")      \
    X(EVENTS_READ_TOTAL, "events_read_total", METRIC_COUNTER, "events", "row, truncate and message events read")     \
    X(EVENTS_APPLIED_TOTAL, "events_applied_total", METRIC_COUNTER, "events", "events committed on the target")      \
    X(EVENTS_SKIPPED_TOTAL, "events_skipped_total", METRIC_COUNTER, "events", "events left out as configured, and logical messages; committed as seen") \
    X(EVENTS_REJECTED_TOTAL, "events_rejected_total", METRIC_COUNTER, "events", "events that stopped the applier")   \
    X(EVENTS_ROLLED_BACK_TOTAL, "events_rolled_back_total", METRIC_COUNTER, "events", "events of target transactions that were rolled back; they are read again") \
    X(EVENTS_PENDING, "events_pending", METRIC_GAUGE, "events", "events read and not yet committed")                 \
    X(CREATES_APPLIED_TOTAL, "creates_applied_total", METRIC_COUNTER, "events", "inserted rows committed")           \
    X(UPDATES_APPLIED_TOTAL, "updates_applied_total", METRIC_COUNTER, "events", "updated rows committed")            \
    X(DELETES_APPLIED_TOTAL, "deletes_applied_total", METRIC_COUNTER, "events", "deleted rows committed")            \
    X(READS_APPLIED_TOTAL, "reads_applied_total", METRIC_COUNTER, "events", "snapshot rows committed")               \
    X(TRUNCATES_APPLIED_TOTAL, "truncates_applied_total", METRIC_COUNTER, "events", "truncated tables committed")    \
    X(MISSING_ROWS_TOTAL, "missing_rows_total", METRIC_COUNTER, "rows", "updates and deletes that met no row, under walferry.apply.missing=ignore") \
    X(SOURCE_TRANSACTIONS_TOTAL, "source_transactions_total", METRIC_COUNTER, "transactions", "source transactions committed on the target") \
    X(TARGET_TRANSACTIONS_TOTAL, "target_transactions_total", METRIC_COUNTER, "transactions", "transactions committed on the target") \
    X(STATEMENTS_TOTAL, "statements_total", METRIC_COUNTER, "statements", "statements sent to the target")           \
    X(PREPARED_STATEMENTS, "prepared_statements", METRIC_GAUGE, "statements", "statements prepared in the session")  \
    X(QUEUE_STATEMENTS, "queue_statements", METRIC_GAUGE, "statements", "statements sent and not yet answered")      \
    X(QUEUE_BYTES, "queue_bytes", METRIC_GAUGE, "bytes", "bytes of records whose statements are not yet answered")   \
    X(PAUSES_TOTAL, "pauses_total", METRIC_COUNTER, "times", "reading stopped because the pipeline was full")        \
    X(APPLIED_OFFSET, "applied_offset", METRIC_GAUGE, "offset", "log offset of the last committed record")           \
    X(END_OFFSET, "end_offset", METRIC_GAUGE, "offset", "log offset of the newest record")                           \
    X(APPLIED_LSN, "applied_lsn", METRIC_GAUGE, "lsn", "end LSN of the last committed source transaction")           \
    X(LAG_RECORDS, "lag_records", METRIC_GAUGE, "records", "records in the transport that are not yet committed")    \
    X(LAG_BYTES, "lag_bytes", METRIC_GAUGE, "bytes", "source WAL between the newest stored and the last committed transaction, but at least lag_records (a snapshot has no WAL of its own); 0 only when nothing is owed") \
    X(LAG_MS, "lag_ms", METRIC_GAUGE, "ms", "time since the oldest record not yet committed was stored in the log; 0 only when nothing is owed")  \
    X(RECONNECTS_TOTAL, "reconnects_total", METRIC_COUNTER, "times", "connections to the target made again")         \
    X(ERRORS_TOTAL, "errors_total", METRIC_COUNTER, "times", "errors met, also those that were overcome")            \
    X(EPOCH, "epoch", METRIC_GAUGE, "number", "ownership epoch in walferry.progress")                                \
    X(STATE, "state", METRIC_GAUGE, "state", "0 connecting, 1 opening the log, 2 waiting for the lock, 3 applying") \
    X(RSS_BYTES, "rss_bytes", METRIC_GAUGE, "bytes", "resident memory")                                              \
    X(RSS_PEAK_BYTES, "rss_peak_bytes", METRIC_GAUGE, "bytes", "peak of the resident memory")
/* clang-format on */

enum applier_metric { APPLIER_METRICS(METRIC_ENUM) APPLIER_METRIC_COUNT };

extern const struct metric applier_metrics_table[];

#endif
