CREATE TABLE IF NOT EXISTS sojourn.migrations ON CLUSTER 'main' (number UInt32, statement UInt32, name String, sha256 String, at DateTime64(3) DEFAULT now64(3))
ENGINE = ReplicatedMergeTree('/clickhouse/tables/sojourn/all/migrations', '{shard}-{replica}') ORDER BY (number, statement) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
--------
CREATE TABLE IF NOT EXISTS sojourn.spans_local ON CLUSTER 'main' (
  tenant LowCardinality(String) CODEC(ZSTD(1)),
  seq UInt64 CODEC(Delta(8), ZSTD(1)),
  accepted DateTime64(3) CODEC(Delta(8), ZSTD(1)),
  ts DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  duration_ns UInt64 CODEC(T64, ZSTD(1)),
  clamped UInt8,
  trace_id FixedString(16) CODEC(ZSTD(1)),
  span_id FixedString(8) CODEC(ZSTD(1)),
  parent_id String CODEC(ZSTD(1)),
  name LowCardinality(String) CODEC(ZSTD(1)),
  kind Int8,
  status Int8,
  status_message String CODEC(ZSTD(1)),
  service LowCardinality(String) CODEC(ZSTD(1)),
  scope LowCardinality(String) CODEC(ZSTD(1)),
  span_type LowCardinality(String) CODEC(ZSTD(1)),
  traffic LowCardinality(String) CODEC(ZSTD(1)),
  journey LowCardinality(String) CODEC(ZSTD(1)),
  step LowCardinality(String) CODEC(ZSTD(1)),
  run_id String CODEC(ZSTD(1)),
  session_id String CODEC(ZSTD(1)),
  user_id String CODEC(ZSTD(1)),
  visitor_id String CODEC(ZSTD(1)),
  account_id String CODEC(ZSTD(1)),
  app LowCardinality(String) CODEC(ZSTD(1)),
  attrs Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  res Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  events_ts Array(DateTime64(9)) CODEC(ZSTD(1)),
  events_name Array(LowCardinality(String)) CODEC(ZSTD(1)),
  events_attrs Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
  INDEX i_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX i_session session_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX i_run run_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX i_seq seq TYPE minmax GRANULARITY 1
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/sojourn/{shard}/spans', '{replica}') PARTITION BY toDate(ts)
PRIMARY KEY (tenant, service, name, toDateTime(ts)) ORDER BY (tenant, service, name, toDateTime(ts), ts)
TTL toDateTime(ts) + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2678400, fsync_after_insert = 1, fsync_part_directory = 1
--------
CREATE TABLE IF NOT EXISTS sojourn.spans ON CLUSTER 'main' AS sojourn.spans_local
ENGINE = Distributed('main', 'sojourn', 'spans_local', cityHash64(trace_id))
--------
CREATE TABLE IF NOT EXISTS sojourn.events_local ON CLUSTER 'main' (
  tenant LowCardinality(String) CODEC(ZSTD(1)),
  seq UInt64 CODEC(Delta(8), ZSTD(1)),
  accepted DateTime64(3) CODEC(Delta(8), ZSTD(1)),
  ts DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  clamped UInt8,
  name LowCardinality(String) CODEC(ZSTD(1)),
  severity Int8,
  body String CODEC(ZSTD(1)),
  trace_id String CODEC(ZSTD(1)),
  span_id String CODEC(ZSTD(1)),
  service LowCardinality(String) CODEC(ZSTD(1)),
  scope LowCardinality(String) CODEC(ZSTD(1)),
  traffic LowCardinality(String) CODEC(ZSTD(1)),
  journey LowCardinality(String) CODEC(ZSTD(1)),
  step LowCardinality(String) CODEC(ZSTD(1)),
  run_id String CODEC(ZSTD(1)),
  session_id String CODEC(ZSTD(1)),
  user_id String CODEC(ZSTD(1)),
  visitor_id String CODEC(ZSTD(1)),
  account_id String CODEC(ZSTD(1)),
  app LowCardinality(String) CODEC(ZSTD(1)),
  attrs Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  res Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  INDEX i_session session_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX i_trace trace_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX i_seq seq TYPE minmax GRANULARITY 1
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/sojourn/{shard}/events', '{replica}') PARTITION BY toDate(ts)
PRIMARY KEY (tenant, service, name, toDateTime(ts)) ORDER BY (tenant, service, name, toDateTime(ts), ts)
TTL toDateTime(ts) + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2678400, fsync_after_insert = 1, fsync_part_directory = 1
--------
CREATE TABLE IF NOT EXISTS sojourn.events ON CLUSTER 'main' AS sojourn.events_local
ENGINE = Distributed('main', 'sojourn', 'events_local', cityHash64(multiIf(session_id != '', session_id, trace_id != '', trace_id, toString(ts))))
--------
CREATE TABLE IF NOT EXISTS sojourn.metrics_local ON CLUSTER 'main' (
  tenant LowCardinality(String) CODEC(ZSTD(1)),
  seq UInt64 CODEC(Delta(8), ZSTD(1)),
  accepted DateTime64(3) CODEC(Delta(8), ZSTD(1)),
  ts DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  clamped UInt8,
  name LowCardinality(String) CODEC(ZSTD(1)),
  type LowCardinality(String) CODEC(ZSTD(1)),
  unit LowCardinality(String) CODEC(ZSTD(1)),
  monotonic UInt8,
  temporality Int8,
  start_ts DateTime64(9) CODEC(Delta(8), ZSTD(1)),
  value Float64 CODEC(ZSTD(1)),
  service LowCardinality(String) CODEC(ZSTD(1)),
  location LowCardinality(String) CODEC(ZSTD(1)),
  attrs Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  res Map(LowCardinality(String), String) CODEC(ZSTD(1))
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/sojourn/{shard}/metrics', '{replica}') PARTITION BY toDate(ts)
ORDER BY (tenant, name, service, toDateTime(ts))
TTL toDateTime(ts) + INTERVAL 31 DAY
SETTINGS ttl_only_drop_parts = 1, replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2678400, fsync_after_insert = 1, fsync_part_directory = 1
--------
CREATE TABLE IF NOT EXISTS sojourn.metrics ON CLUSTER 'main' AS sojourn.metrics_local
ENGINE = Distributed('main', 'sojourn', 'metrics_local', cityHash64(name, service, location))
--------
CREATE TABLE IF NOT EXISTS sojourn.spans_1m_local ON CLUSTER 'main' (
  tenant LowCardinality(String), service LowCardinality(String), journey LowCardinality(String), step LowCardinality(String),
  traffic LowCardinality(String), t DateTime CODEC(DoubleDelta, ZSTD(1)),
  n SimpleAggregateFunction(sum, UInt64), errors SimpleAggregateFunction(sum, UInt64), max_ns SimpleAggregateFunction(max, UInt64),
  duration AggregateFunction(quantilesDD(0.01, 0.5, 0.75, 0.95, 0.99), Float64)
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/sojourn/{shard}/spans_1m', '{replica}') PARTITION BY toYYYYMM(t) ORDER BY (tenant, service, journey, step, traffic, t)
TTL t + INTERVAL 5 YEAR
SETTINGS replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2678400, fsync_after_insert = 1, fsync_part_directory = 1
--------
CREATE TABLE IF NOT EXISTS sojourn.spans_1m ON CLUSTER 'main' AS sojourn.spans_1m_local
ENGINE = Distributed('main', 'sojourn', 'spans_1m_local', cityHash64(tenant, service, journey, step, traffic, t))
--------
CREATE MATERIALIZED VIEW IF NOT EXISTS sojourn.spans_1m_view ON CLUSTER 'main' TO sojourn.spans_1m_local AS
SELECT tenant, service, journey, step, traffic, toStartOfMinute(toDateTime(ts)) AS t,
  count() AS n, countIf(status = 2) AS errors, max(duration_ns) AS max_ns,
  quantilesDDState(0.01, 0.5, 0.75, 0.95, 0.99)(toFloat64(duration_ns)) AS duration
FROM sojourn.spans_local GROUP BY tenant, service, journey, step, traffic, t
--------
CREATE TABLE IF NOT EXISTS sojourn.sessions_local ON CLUSTER 'main' (
  tenant LowCardinality(String), session_id String, version UInt64,
  person_id String, person_kind LowCardinality(String), user_id String, visitor_id String, account_id String,
  app LowCardinality(String), consent LowCardinality(String), traffic LowCardinality(String), run_id String,
  device LowCardinality(String), browser LowCardinality(String), release LowCardinality(String), sample_rate Float64,
  started DateTime64(3), ended DateTime64(3), pages UInt32, errors UInt32, trace_ids Array(String), order_ids Array(String),
  INDEX i_person person_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/sojourn/{shard}/sessions', '{replica}', version) PARTITION BY toYYYYMM(started) ORDER BY (tenant, session_id)
TTL toDateTime(started) + INTERVAL 400 DAY
SETTINGS replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2678400, fsync_after_insert = 1, fsync_part_directory = 1
--------
CREATE TABLE IF NOT EXISTS sojourn.sessions ON CLUSTER 'main' AS sojourn.sessions_local
ENGINE = Distributed('main', 'sojourn', 'sessions_local', cityHash64(session_id))
--------
CREATE TABLE IF NOT EXISTS sojourn.runs_local ON CLUSTER 'main' (
  tenant LowCardinality(String), run_id String, version UInt64, deleted UInt8,
  traffic LowCardinality(String), journey LowCardinality(String), journey_version String,
  started DateTime64(3), ended DateTime64(3), settled UInt8,
  outcome LowCardinality(String), end LowCardinality(String), severity Float32,
  flaky UInt8, attempts UInt8, failure_kind LowCardinality(String), failure_step LowCardinality(String), failure_message String,
  location LowCardinality(String), session_id String, person_id String, person_kind LowCardinality(String), account_id String,
  app LowCardinality(String), device LowCardinality(String), browser LowCardinality(String), release LowCardinality(String),
  sample_rate Float64, trace_ids Array(String),
  INDEX i_run run_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX i_session session_id TYPE bloom_filter(0.001) GRANULARITY 1,
  INDEX i_person person_id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/sojourn/{shard}/runs', '{replica}', version, deleted) PARTITION BY toYYYYMM(started) ORDER BY (tenant, journey, traffic, started, run_id)
TTL toDateTime(started) + INTERVAL 400 DAY
SETTINGS replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2678400, fsync_after_insert = 1, fsync_part_directory = 1
--------
CREATE TABLE IF NOT EXISTS sojourn.runs ON CLUSTER 'main' AS sojourn.runs_local
ENGINE = Distributed('main', 'sojourn', 'runs_local', cityHash64(run_id))
--------
CREATE TABLE IF NOT EXISTS sojourn.steps_local ON CLUSTER 'main' (
  tenant LowCardinality(String), run_id String, step LowCardinality(String), attempt UInt8, version UInt64, deleted UInt8,
  traffic LowCardinality(String), journey LowCardinality(String), number UInt8, name String,
  run_started DateTime64(3), started DateTime64(3), duration_ms Float64, settled UInt8,
  outcome LowCardinality(String), reached UInt8, hit UInt8, slow UInt8, recovered UInt8, done UInt8, stopped UInt8, severity Float32,
  failure_kind LowCardinality(String), failure_message String,
  arrivals Array(DateTime64(3)), failures Array(DateTime64(3)), done_at DateTime64(3), last_seen DateTime64(3),
  hit_trace_id String, hit_span_id String, hit_status UInt16, hit_method LowCardinality(String), hit_path String,
  lcp_ms Float64, load_ms Float64,
  session_id String, person_id String, person_kind LowCardinality(String), account_id String, device LowCardinality(String),
  location LowCardinality(String), cart_value Float64, cart_currency LowCardinality(String), sample_rate Float64
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/sojourn/{shard}/steps', '{replica}', version, deleted) PARTITION BY toYYYYMM(run_started) ORDER BY (tenant, journey, step, traffic, run_started, run_id, attempt)
TTL toDateTime(run_started) + INTERVAL 400 DAY
SETTINGS replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2678400, fsync_after_insert = 1, fsync_part_directory = 1
--------
CREATE TABLE IF NOT EXISTS sojourn.steps ON CLUSTER 'main' AS sojourn.steps_local
ENGINE = Distributed('main', 'sojourn', 'steps_local', cityHash64(run_id))
--------
CREATE TABLE IF NOT EXISTS sojourn.feedback_local ON CLUSTER 'main' (
  tenant LowCardinality(String), source LowCardinality(String), id String, version UInt64, deleted UInt8,
  ts DateTime64(3), received DateTime64(3), kind LowCardinality(String), value Nullable(Float64), scale_min Nullable(Float64), scale_max Nullable(Float64),
  higher_is_better UInt8, satisfied Nullable(UInt8), comment String CODEC(ZSTD(3)), language LowCardinality(String), survey_id String,
  journey LowCardinality(String), step LowCardinality(String), user_id String, visitor_id String, account_id String,
  order_id String, ticket_id String, trace_id String, given_session_id String,
  session_id String, person_id String, run_ids Array(String), join LowCardinality(String), join_confidence Float32
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/sojourn/{shard}/feedback', '{replica}', version, deleted) PARTITION BY toYYYYMM(ts) ORDER BY (tenant, source, id)
SETTINGS replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2678400, fsync_after_insert = 1, fsync_part_directory = 1
--------
CREATE TABLE IF NOT EXISTS sojourn.feedback ON CLUSTER 'main' AS sojourn.feedback_local
ENGINE = Distributed('main', 'sojourn', 'feedback_local', cityHash64(source, id))
--------
CREATE TABLE IF NOT EXISTS sojourn.orders_local ON CLUSTER 'main' (
  tenant LowCardinality(String), source LowCardinality(String), id String, version UInt64, deleted UInt8,
  ts DateTime64(3), received DateTime64(3), amount Decimal(18, 4), refunded Decimal(18, 4), currency LowCardinality(String),
  status LowCardinality(String), probe UInt8, channel LowCardinality(String),
  user_id String, visitor_id String, account_id String, trace_id String, given_session_id String,
  session_id String, person_id String, run_id String, join LowCardinality(String), join_confidence Float32
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/sojourn/{shard}/orders', '{replica}', version, deleted) PARTITION BY toYYYYMM(ts) ORDER BY (tenant, source, id)
SETTINGS replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2678400, fsync_after_insert = 1, fsync_part_directory = 1
--------
CREATE TABLE IF NOT EXISTS sojourn.orders ON CLUSTER 'main' AS sojourn.orders_local
ENGINE = Distributed('main', 'sojourn', 'orders_local', cityHash64(source, id))
--------
CREATE TABLE IF NOT EXISTS sojourn.accounts_local ON CLUSTER 'main' (
  tenant LowCardinality(String), source LowCardinality(String), id String, version UInt64, deleted UInt8,
  name String, plan LowCardinality(String), segment LowCardinality(String), owner String, mrr Nullable(Decimal(18, 4)), currency LowCardinality(String),
  lifecycle LowCardinality(String), renewal_date Nullable(Date), attrs Map(String, String)
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/sojourn/{shard}/accounts', '{replica}', version, deleted) ORDER BY (tenant, source, id)
SETTINGS replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2678400, fsync_after_insert = 1, fsync_part_directory = 1
--------
CREATE TABLE IF NOT EXISTS sojourn.accounts ON CLUSTER 'main' AS sojourn.accounts_local
ENGINE = Distributed('main', 'sojourn', 'accounts_local', cityHash64(source, id))
--------
CREATE TABLE IF NOT EXISTS sojourn.people_local ON CLUSTER 'main' (
  tenant LowCardinality(String), source LowCardinality(String), id String, version UInt64, deleted UInt8,
  name String, email_sha256 String, account_id String, role String, consent LowCardinality(String), attrs Map(String, String)
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/sojourn/{shard}/people', '{replica}', version, deleted) ORDER BY (tenant, source, id)
SETTINGS replicated_deduplication_window = 100000, replicated_deduplication_window_seconds = 2678400, fsync_after_insert = 1, fsync_part_directory = 1
--------
CREATE TABLE IF NOT EXISTS sojourn.people ON CLUSTER 'main' AS sojourn.people_local
ENGINE = Distributed('main', 'sojourn', 'people_local', cityHash64(source, id))
--------
ALTER TABLE sojourn.metrics_local ON CLUSTER 'main'
  ADD COLUMN IF NOT EXISTS count UInt64 CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS min Nullable(Float64) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS max Nullable(Float64) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS bounds Array(Float64) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS counts Array(UInt64) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS scale Int32,
  ADD COLUMN IF NOT EXISTS zero_count UInt64,
  ADD COLUMN IF NOT EXISTS offset Int32,
  ADD COLUMN IF NOT EXISTS negative_offset Int32,
  ADD COLUMN IF NOT EXISTS negative_counts Array(UInt64) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS quantiles Array(Float64) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS quantile_values Array(Float64) CODEC(ZSTD(1))
--------
ALTER TABLE sojourn.metrics ON CLUSTER 'main'
  ADD COLUMN IF NOT EXISTS count UInt64,
  ADD COLUMN IF NOT EXISTS min Nullable(Float64),
  ADD COLUMN IF NOT EXISTS max Nullable(Float64),
  ADD COLUMN IF NOT EXISTS bounds Array(Float64),
  ADD COLUMN IF NOT EXISTS counts Array(UInt64),
  ADD COLUMN IF NOT EXISTS scale Int32,
  ADD COLUMN IF NOT EXISTS zero_count UInt64,
  ADD COLUMN IF NOT EXISTS offset Int32,
  ADD COLUMN IF NOT EXISTS negative_offset Int32,
  ADD COLUMN IF NOT EXISTS negative_counts Array(UInt64),
  ADD COLUMN IF NOT EXISTS quantiles Array(Float64),
  ADD COLUMN IF NOT EXISTS quantile_values Array(Float64)
