-- Which question an answer is to, and where it was asked.
ALTER TABLE feedback ADD COLUMN IF NOT EXISTS question_id String, ADD COLUMN IF NOT EXISTS question String CODEC(ZSTD(3)), ADD COLUMN IF NOT EXISTS channel LowCardinality(String)
