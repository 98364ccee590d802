-- What is usual at a step is read of whole days: units of the score (settled person-days by their worst severity), how many of them were hit, and how many
-- of the unhurt got it done. Every day is counted anew by the rule that knows them.
ALTER TABLE step_sums
  ADD COLUMN IF NOT EXISTS units UInt64, ADD COLUMN IF NOT EXISTS units_hit UInt64, ADD COLUMN IF NOT EXISTS unhurt_done UInt64,
  ADD COLUMN IF NOT EXISTS w_sum Float64, ADD COLUMN IF NOT EXISTS w_squares Float64, ADD COLUMN IF NOT EXISTS w_severity Float64
--------
-- What was written since: few stretches of the table, for runs of one time lie together.
ALTER TABLE steps ADD INDEX IF NOT EXISTS i_version version TYPE minmax GRANULARITY 1;
--------
ALTER TABLE steps MATERIALIZE INDEX i_version SETTINGS mutations_sync = 0
