-- What people met, summed by class beside the sum of the marks: units at their worst, and attempts of a step. Other severities then hold for all of it.
-- Every day whose runs are kept is counted anew by the rule that knows them; older sums have 0 here and stay by the marks.
ALTER TABLE run_sums
  ADD COLUMN IF NOT EXISTS w_slow Float64, ADD COLUMN IF NOT EXISTS w_recovered Float64, ADD COLUMN IF NOT EXISTS w_left Float64,
  ADD COLUMN IF NOT EXISTS w_blocked Float64
--------
ALTER TABLE step_sums
  ADD COLUMN IF NOT EXISTS w_slow Float64, ADD COLUMN IF NOT EXISTS w_recovered Float64, ADD COLUMN IF NOT EXISTS w_left Float64,
  ADD COLUMN IF NOT EXISTS w_blocked Float64,
  ADD COLUMN IF NOT EXISTS at_slow UInt64, ADD COLUMN IF NOT EXISTS at_recovered UInt64, ADD COLUMN IF NOT EXISTS at_left UInt64,
  ADD COLUMN IF NOT EXISTS at_blocked UInt64
