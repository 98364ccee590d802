-- Who looks after accounts and deals: names for what their column `owner` says.
CREATE TABLE IF NOT EXISTS owners (
  tenant LowCardinality(String), source LowCardinality(String), id String, version UInt64, deleted UInt8,
  received DateTime64(3), name String, email_sha256 String, team LowCardinality(String)
) ENGINE = ReplacingMergeTree(version, deleted) ORDER BY (tenant, source, id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;
