-- In which traces a backend failed, so that a visit's traces are held against the few that did and not against all spans. A row a trace, day and load; when the
-- failed spans were there, to the second. Spans that were there before are not looked through: their visits are joined, and only touched ones are again.
CREATE TABLE IF NOT EXISTS failed_traces (
  tenant LowCardinality(String) CODEC(ZSTD(1)), trace FixedString(16) CODEC(NONE), day Date CODEC(ZSTD(1)),
  first DateTime('UTC') CODEC(ZSTD(1)), last DateTime('UTC') CODEC(ZSTD(1))
) ENGINE = MergeTree PARTITION BY day ORDER BY (tenant, trace)
TTL toDateTime(day) + INTERVAL 32 DAY
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
--------
CREATE MATERIALIZED VIEW IF NOT EXISTS failed_traces_view TO failed_traces AS
SELECT tenant, trace_id AS trace, toDate(ts) AS day, min(toDateTime(ts, 'UTC')) AS first, max(toDateTime(ts, 'UTC')) AS last
FROM spans WHERE status = 2 AND span_type = '' AND run_id = '' AND kind IN (0, 1, 2) GROUP BY tenant, trace, day
