-- Whole days of the sums of one step, customers only; `t` within [since, until). A unit is a person and a day, at their worst of it.
SELECT sum(step_sums.units) AS units, sum(units_hit) AS hit, sum(step_sums.units - units_hit) AS unhurt, sum(step_sums.unhurt_done) AS unhurt_done,
  minIf(t, step_sums.units > 0) AS oldest, sum(step_sums.w_sum) AS w_sum, sum(step_sums.w_squares) AS w_squares, sum(step_sums.w_severity) AS w_severity,
  sum(step_sums.w_slow) AS w_slow, sum(step_sums.w_recovered) AS w_recovered, sum(step_sums.w_left) AS w_left, sum(step_sums.w_blocked) AS w_blocked
FROM step_sums FINAL
WHERE tenant = {tenant:String} AND journey = {journey:String} AND step = {step:String} AND traffic = 'real' AND every = 'day'
  AND t >= {since:DateTime('UTC')} AND t < {until:DateTime('UTC')}
