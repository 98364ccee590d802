-- When a feed said what its row says: milliseconds since 1970 times 1000, and a number that tells apart what was said in one of them; of rows of before, when
-- they were written. Where events of a vendor said columns at different times, those said before that. By it the newest value of several feeds counts, see
-- store/told.py.
ALTER TABLE accounts ADD COLUMN IF NOT EXISTS said UInt64 DEFAULT version * 1000, ADD COLUMN IF NOT EXISTS said_before Map(LowCardinality(String), UInt64) CODEC(ZSTD(1))
--------
ALTER TABLE people ADD COLUMN IF NOT EXISTS said UInt64 DEFAULT version * 1000, ADD COLUMN IF NOT EXISTS said_before Map(LowCardinality(String), UInt64) CODEC(ZSTD(1))
