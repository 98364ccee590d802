-- The score per visit beside the one of people: visits without identity by class too and of steps, and every visit by itself, whosever it is, for where
-- sessions are sampled. Every day whose runs are kept is counted anew by the rule that knows them; older sums have 0 here.
ALTER TABLE run_sums
  ADD COLUMN IF NOT EXISTS anonymous_w_slow Float64, ADD COLUMN IF NOT EXISTS anonymous_w_recovered Float64, ADD COLUMN IF NOT EXISTS anonymous_w_left Float64,
  ADD COLUMN IF NOT EXISTS anonymous_w_blocked Float64,
  ADD COLUMN IF NOT EXISTS visit_units UInt64, ADD COLUMN IF NOT EXISTS visit_w_sum Float64, ADD COLUMN IF NOT EXISTS visit_w_squares Float64,
  ADD COLUMN IF NOT EXISTS visit_w_severity Float64, ADD COLUMN IF NOT EXISTS visit_w_slow Float64, ADD COLUMN IF NOT EXISTS visit_w_recovered Float64,
  ADD COLUMN IF NOT EXISTS visit_w_left Float64, ADD COLUMN IF NOT EXISTS visit_w_blocked Float64
--------
ALTER TABLE step_sums
  ADD COLUMN IF NOT EXISTS anonymous_units UInt64, ADD COLUMN IF NOT EXISTS anonymous_w_sum Float64, ADD COLUMN IF NOT EXISTS anonymous_w_squares Float64,
  ADD COLUMN IF NOT EXISTS anonymous_w_severity Float64, ADD COLUMN IF NOT EXISTS anonymous_w_slow Float64, ADD COLUMN IF NOT EXISTS anonymous_w_recovered Float64,
  ADD COLUMN IF NOT EXISTS anonymous_w_left Float64, ADD COLUMN IF NOT EXISTS anonymous_w_blocked Float64,
  ADD COLUMN IF NOT EXISTS visit_units UInt64, ADD COLUMN IF NOT EXISTS visit_w_sum Float64, ADD COLUMN IF NOT EXISTS visit_w_squares Float64,
  ADD COLUMN IF NOT EXISTS visit_w_severity Float64, ADD COLUMN IF NOT EXISTS visit_w_slow Float64, ADD COLUMN IF NOT EXISTS visit_w_recovered Float64,
  ADD COLUMN IF NOT EXISTS visit_w_left Float64, ADD COLUMN IF NOT EXISTS visit_w_blocked Float64
