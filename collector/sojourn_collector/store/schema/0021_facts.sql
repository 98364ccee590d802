-- Facts of a visit that its spans and events tell: country, region and channel, and the attributes that impact.yaml breaks people down by.
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS facts Map(LowCardinality(String), String) CODEC(ZSTD(1))
--------
ALTER TABLE runs ADD COLUMN IF NOT EXISTS facts Map(LowCardinality(String), String) CODEC(ZSTD(1))
