-- What was said in public: its heading, where it can be read, and its author by a digest under a key of this installation. And how the language of an answer
-- is known: `given` by whoever sent it, `detected` from its words; empty where it is not known, and in rows of before.
ALTER TABLE feedback ADD COLUMN IF NOT EXISTS title String CODEC(ZSTD(3)), ADD COLUMN IF NOT EXISTS url String CODEC(ZSTD(3)),
  ADD COLUMN IF NOT EXISTS author String, ADD COLUMN IF NOT EXISTS language_by LowCardinality(String)
