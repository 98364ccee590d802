-- Histograms, exponential histograms and summaries beside gauges and sums. `value` is the sum of a histogram or summary; a point that says it has
-- no value is NaN. Bucket i of `counts` is (bounds[i-1], bounds[i]]; of an exponential histogram base^(offset+i) to base^(offset+i+1), base = 2^(2^-scale).
ALTER TABLE metrics
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
