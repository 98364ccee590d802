-- Who used what when, and what is being sold to whom. Usage is read by the time it happened: who used something lately, and what.

CREATE TABLE IF NOT EXISTS usage (
  tenant LowCardinality(String), source LowCardinality(String), id String, version UInt64, deleted UInt8,
  ts DateTime64(3), received DateTime64(3), event String, user_id String, visitor_id String, email_sha256 String, account_id String,
  given_session_id String, attrs Map(String, String),
  INDEX i_ts ts TYPE minmax GRANULARITY 1,
  INDEX i_user user_id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = ReplacingMergeTree(version, deleted) PARTITION BY toYYYYMM(ts) ORDER BY (tenant, source, id)
TTL toDateTime(ts) + INTERVAL 400 DAY
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, max_cleanup_delay_period = 30;
--------
CREATE TABLE IF NOT EXISTS deals (
  tenant LowCardinality(String), source LowCardinality(String), id String, version UInt64, deleted UInt8,
  account_id String, name String, amount Nullable(Decimal(18, 4)), currency LowCardinality(String), stage LowCardinality(String),
  probability Nullable(Float32), closes_on Nullable(Date), owner String, status LowCardinality(String)
) ENGINE = ReplacingMergeTree(version, deleted) ORDER BY (tenant, source, id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
--------
-- What one unit of the order's currency is worth in `rate_currency` on the order's day; 0 where no rate is known.
ALTER TABLE orders ADD COLUMN IF NOT EXISTS rate Float64, ADD COLUMN IF NOT EXISTS rate_currency LowCardinality(String)
