/* metrics_table: every metric of walferry-streamer, in one table. */
#ifndef STREAMER_METRICS_TABLE_H
#define STREAMER_METRICS_TABLE_H

#include "walferry/metrics.h"

#define STREAMER_METRICS_PREFIX "walferry_streamer_"

/* clang-format off */
#define STREAMER_METRICS(X)                                                                                          \
    X(EVENTS_TOTAL, "events_total", METRIC_COUNTER, "events", "events of any kind published")                         \
    X(CREATES_TOTAL, "creates_total", METRIC_COUNTER, "events", "inserted rows published")                           \
    X(UPDATES_TOTAL, "updates_total", METRIC_COUNTER, "events", "updated rows published")                            \
    X(DELETES_TOTAL, "deletes_total", METRIC_COUNTER, "events", "deleted rows published")                            \
    X(TRUNCATES_TOTAL, "truncates_total", METRIC_COUNTER, "events", "truncated tables published")                    \
    X(MESSAGES_TOTAL, "messages_total", METRIC_COUNTER, "events", "logical decoding messages published")             \
    X(READS_TOTAL, "reads_total", METRIC_COUNTER, "events", "snapshot rows published")                               \
    X(SKIPPED_TOTAL, "skipped_total", METRIC_COUNTER, "events", "changes left out by skipped.operations")            \
    X(REPEATED_TOTAL, "repeated_total", METRIC_COUNTER, "events", "changes the server sent again, already stored")   \
    X(RECORDS_TOTAL, "records_total", METRIC_COUNTER, "records", "records handed to the transport")                  \
    X(BYTES_TOTAL, "bytes_total", METRIC_COUNTER, "bytes", "keys and values handed to the transport")                \
    X(TRANSACTIONS_TOTAL, "transactions_total", METRIC_COUNTER, "transactions", "transactions read to their end")    \
    X(LAG_BYTES, "lag_bytes", METRIC_GAUGE, "bytes", "WAL written by the server and not yet confirmed")              \
    X(LAG_MS, "lag_ms", METRIC_GAUGE, "ms", "age of the last stored commit; 0 when nothing is owed")                 \
    X(CONFIRMED_LSN, "confirmed_lsn", METRIC_GAUGE, "lsn", "position confirmed to the server")                       \
    X(RECEIVED_LSN, "received_lsn", METRIC_GAUGE, "lsn", "position received from the server")                        \
    X(SERVER_LSN, "server_lsn", METRIC_GAUGE, "lsn", "end of the server's WAL when it was last asked")               \
    X(QUEUE_BYTES, "queue_bytes", METRIC_GAUGE, "bytes", "bytes that wait for the transport")                        \
    X(QUEUE_RECORDS, "queue_records", METRIC_GAUGE, "records", "records handed over and not yet stored")             \
    X(PAUSES_TOTAL, "pauses_total", METRIC_COUNTER, "times", "reading stopped because the transport was full")       \
    X(RECONNECTS_TOTAL, "reconnects_total", METRIC_COUNTER, "times", "connections to the source made again")         \
    X(ERRORS_TOTAL, "errors_total", METRIC_COUNTER, "times", "errors met, also those that were overcome")            \
    X(COLUMNS_OMITTED_TOTAL, "columns_omitted_total", METRIC_COUNTER, "columns", "columns left out: no mapping")     \
    X(SNAPSHOT_TABLES, "snapshot_tables", METRIC_GAUGE, "tables", "tables of the snapshot")                          \
    X(SNAPSHOT_TABLES_DONE, "snapshot_tables_done", METRIC_GAUGE, "tables", "tables of the snapshot read so far")    \
    X(SNAPSHOT_ROWS, "snapshot_rows", METRIC_GAUGE, "rows", "rows of the snapshot read so far")                      \
    X(STATE, "state", METRIC_GAUGE, "state", "0 starting, 1 connecting, 2 waiting to try again, 3 snapshot, 4 streaming, 5 stopping, 6 stopped") \
    X(RSS_BYTES, "rss_bytes", METRIC_GAUGE, "bytes", "resident memory")                                              \
    X(RSS_PEAK_BYTES, "rss_peak_bytes", METRIC_GAUGE, "bytes", "peak of the resident memory")
/* clang-format on */

enum streamer_metric { STREAMER_METRICS(METRIC_ENUM) STREAMER_METRIC_COUNT };

extern const struct metric streamer_metrics_table[];

#endif
