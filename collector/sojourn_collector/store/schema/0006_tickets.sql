-- Cases at the support desk, subscriptions, and surveys that were sent or shown. Whoever asks by e-mail is known by the digest of the address.

CREATE TABLE IF NOT EXISTS tickets (
  tenant LowCardinality(String), source LowCardinality(String), id String, version UInt64, deleted UInt8,
  ts DateTime64(3), received DateTime64(3), updated DateTime64(3),
  status LowCardinality(String), priority LowCardinality(String), topic String CODEC(ZSTD(3)), channel LowCardinality(String),
  first_reply_at Nullable(DateTime64(3)), solved_at Nullable(DateTime64(3)), reopens UInt16,
  journey LowCardinality(String), step LowCardinality(String), user_id String, visitor_id String, email_sha256 String, account_id String,
  order_id String, trace_id String, given_session_id String,
  session_id String, person_id String, run_ids Array(String), join LowCardinality(String), join_confidence Float32
) ENGINE = ReplacingMergeTree(version, deleted) PARTITION BY toYYYYMM(ts) ORDER BY (tenant, source, id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, max_cleanup_delay_period = 30;
--------
CREATE TABLE IF NOT EXISTS subscriptions (
  tenant LowCardinality(String), source LowCardinality(String), id String, version UInt64, deleted UInt8,
  ts DateTime64(3), received DateTime64(3), status LowCardinality(String), mrr Nullable(Decimal(18, 4)), currency LowCardinality(String),
  interval LowCardinality(String), plan LowCardinality(String), renews_at Nullable(DateTime64(3)), cancel_at Nullable(DateTime64(3)),
  ended_at Nullable(DateTime64(3)), reason LowCardinality(String), comment String CODEC(ZSTD(3)),
  user_id String, visitor_id String, email_sha256 String, account_id String, given_session_id String
) ENGINE = ReplacingMergeTree(version, deleted) PARTITION BY toYYYYMM(ts) ORDER BY (tenant, source, id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, max_cleanup_delay_period = 30;
--------
CREATE TABLE IF NOT EXISTS invitations (
  tenant LowCardinality(String), source LowCardinality(String), id String, version UInt64, deleted UInt8,
  ts DateTime64(3), received DateTime64(3), status LowCardinality(String), channel LowCardinality(String), survey_id String,
  journey LowCardinality(String), step LowCardinality(String), user_id String, visitor_id String, email_sha256 String, account_id String,
  order_id String, ticket_id String, trace_id String, given_session_id String,
  session_id String, person_id String, run_ids Array(String), join LowCardinality(String), join_confidence Float32
) ENGINE = ReplacingMergeTree(version, deleted) PARTITION BY toYYYYMM(ts) ORDER BY (tenant, source, id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, max_cleanup_delay_period = 30;
--------
ALTER TABLE feedback ADD COLUMN IF NOT EXISTS email_sha256 String;
--------
ALTER TABLE orders ADD COLUMN IF NOT EXISTS email_sha256 String;
