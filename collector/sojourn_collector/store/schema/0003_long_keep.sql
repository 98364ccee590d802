-- What the long keep and look-ups by trace need. Sums of runs and steps by hour and day outlive the runs; they hold counts, no one's identity.
-- When each trace was there, to the second, so that one trace is looked for in its own days only. A row a trace, day and load. Half of its id is enough:
-- traces that share it are looked for a little wider, and it takes a third of the room. The second half: ids of 64 bits begin with zeros.
CREATE TABLE IF NOT EXISTS trace_times (
  tenant LowCardinality(String) CODEC(ZSTD(1)), trace UInt64 CODEC(NONE), day Date CODEC(ZSTD(1)),
  first DateTime('UTC') CODEC(ZSTD(1)), last DateTime('UTC') CODEC(ZSTD(1))
) ENGINE = MergeTree PARTITION BY day ORDER BY (tenant, trace)
TTL toDateTime(day) + INTERVAL 32 DAY
SETTINGS index_granularity = 1024, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
--------
CREATE MATERIALIZED VIEW IF NOT EXISTS trace_times_view TO trace_times AS
SELECT tenant, reinterpretAsUInt64(substring(trace_id, 9)) AS trace, toDate(ts) AS day, min(toDateTime(ts, 'UTC')) AS first, max(toDateTime(ts, 'UTC')) AS last
FROM spans GROUP BY tenant, trace, day;
--------
-- Spans that were there before the view was. Doing it twice changes nothing: least of the least, greatest of the greatest.
INSERT INTO trace_times
SELECT tenant, reinterpretAsUInt64(substring(trace_id, 9)) AS trace, toDate(ts) AS day, min(toDateTime(ts, 'UTC')) AS first, max(toDateTime(ts, 'UTC')) AS last
FROM spans GROUP BY tenant, trace, day SETTINGS max_bytes_before_external_group_by = 500000000, max_threads = 2;
--------
CREATE TABLE IF NOT EXISTS run_sums (
  tenant LowCardinality(String), journey LowCardinality(String), traffic LowCardinality(String), location LowCardinality(String),
  -- The hour in UTC; of a day its date in the zone of impact.yaml, written as midnight.
  every Enum8('hour' = 1, 'day' = 2), t DateTime('UTC') CODEC(Delta(4), ZSTD(1)), version UInt64, deleted UInt8,
  runs UInt64, finished UInt64, gave_up UInt64, stopped UInt64, trying UInt64,
  passed UInt64, degraded UInt64, failed UInt64, inconclusive UInt64, skipped UInt64, flaky UInt64,
  -- Different persons, and visits of nobody known; then the units of the score (settled, worst severity by person and t), of persons and of such visits.
  people UInt64, anonymous UInt64, units UInt64, w_sum Float64, w_squares Float64, w_severity Float64,
  anonymous_units UInt64, anonymous_w_sum Float64, anonymous_w_squares Float64, anonymous_w_severity Float64,
  -- Milliseconds of probe runs that passed: how many in each bucket, see store/buckets.py.
  took Map(Int16, UInt64) CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree(version, deleted) PARTITION BY (every, toYYYYMM(t)) ORDER BY (tenant, journey, traffic, every, t, location)
TTL t + toIntervalDay(if(every = 'hour', 400, 1825))
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
--------
CREATE TABLE IF NOT EXISTS step_sums (
  tenant LowCardinality(String), journey LowCardinality(String), step LowCardinality(String), traffic LowCardinality(String), location LowCardinality(String),
  every Enum8('hour' = 1, 'day' = 2), t DateTime('UTC') CODEC(Delta(4), ZSTD(1)), version UInt64, deleted UInt8,
  number UInt8, name String,
  -- Of every attempt: reached and done, hit, slow, recovered, left after a hit, stopped by one; and how it ended.
  attempts UInt64, reached UInt64, done UInt64, hit UInt64, slow UInt64, recovered UInt64, abandoned UInt64, stopped UInt64,
  passed UInt64, degraded UInt64, failed UInt64, inconclusive UInt64, skipped UInt64,
  people UInt64, people_hit UInt64, severity_sum Float64,
  took Map(Int16, UInt64) CODEC(ZSTD(1)), lcp Map(Int16, UInt64) CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree(version, deleted) PARTITION BY (every, toYYYYMM(t)) ORDER BY (tenant, journey, traffic, every, t, step, location)
TTL t + toIntervalDay(if(every = 'hour', 400, 1825))
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
--------
-- Which runs the join wrote since the sums were last made; what is asked of one account, one person, one session, one order.
ALTER TABLE runs ADD INDEX IF NOT EXISTS i_version version TYPE minmax GRANULARITY 1, ADD INDEX IF NOT EXISTS i_account account_id TYPE bloom_filter(0.001) GRANULARITY 1;
--------
ALTER TABLE sessions ADD INDEX IF NOT EXISTS i_account account_id TYPE bloom_filter(0.001) GRANULARITY 1,
  ADD INDEX IF NOT EXISTS i_orders order_ids TYPE bloom_filter(0.001) GRANULARITY 1;
--------
ALTER TABLE feedback ADD INDEX IF NOT EXISTS i_session session_id TYPE bloom_filter(0.001) GRANULARITY 1,
  ADD INDEX IF NOT EXISTS i_person person_id TYPE bloom_filter(0.001) GRANULARITY 1, ADD INDEX IF NOT EXISTS i_runs run_ids TYPE bloom_filter(0.001) GRANULARITY 1;
--------
ALTER TABLE orders ADD INDEX IF NOT EXISTS i_session session_id TYPE bloom_filter(0.001) GRANULARITY 1,
  ADD INDEX IF NOT EXISTS i_person person_id TYPE bloom_filter(0.001) GRANULARITY 1;
--------
ALTER TABLE runs MATERIALIZE INDEX i_version, MATERIALIZE INDEX i_account SETTINGS mutations_sync = 0;
--------
ALTER TABLE sessions MATERIALIZE INDEX i_account, MATERIALIZE INDEX i_orders SETTINGS mutations_sync = 0;
--------
ALTER TABLE feedback MATERIALIZE INDEX i_session, MATERIALIZE INDEX i_person, MATERIALIZE INDEX i_runs SETTINGS mutations_sync = 0;
--------
ALTER TABLE orders MATERIALIZE INDEX i_session, MATERIALIZE INDEX i_person SETTINGS mutations_sync = 0;
