-- Whole days of the sums of one step, customers only; `t` within [since, until). A unit is a person and a day, at their worst of it; visits without identity
-- apart, or with by_visit every visit by itself.
SELECT sumIf(step_sums.units, NOT {by_visit:Bool}) AS units, sumIf(step_sums.units_hit, NOT {by_visit:Bool}) AS hit,
  sumIf(step_sums.units - units_hit, NOT {by_visit:Bool}) AS unhurt, sumIf(step_sums.unhurt_done, NOT {by_visit:Bool}) AS unhurt_done,
  minIf(t, step_sums.units + step_sums.anonymous_units > 0) AS oldest,
  sumIf(step_sums.w_sum, NOT {by_visit:Bool}) AS w_sum, sumIf(step_sums.w_squares, NOT {by_visit:Bool}) AS w_squares, sumIf(step_sums.w_severity, NOT {by_visit:Bool}) AS w_severity,
  sumIf(step_sums.w_slow, NOT {by_visit:Bool}) AS w_slow, sumIf(step_sums.w_recovered, NOT {by_visit:Bool}) AS w_recovered, sumIf(step_sums.w_left, NOT {by_visit:Bool}) AS w_left,
  sumIf(step_sums.w_blocked, NOT {by_visit:Bool}) AS w_blocked,
  sum(if({by_visit:Bool}, step_sums.visit_units, step_sums.anonymous_units)) AS anonymous_units, sum(if({by_visit:Bool}, step_sums.visit_w_sum, step_sums.anonymous_w_sum)) AS anonymous_w_sum,
  sum(if({by_visit:Bool}, step_sums.visit_w_squares, step_sums.anonymous_w_squares)) AS anonymous_w_squares, sum(if({by_visit:Bool}, step_sums.visit_w_severity, step_sums.anonymous_w_severity)) AS anonymous_w_severity,
  sum(if({by_visit:Bool}, step_sums.visit_w_slow, step_sums.anonymous_w_slow)) AS anonymous_w_slow, sum(if({by_visit:Bool}, step_sums.visit_w_recovered, step_sums.anonymous_w_recovered)) AS anonymous_w_recovered,
  sum(if({by_visit:Bool}, step_sums.visit_w_left, step_sums.anonymous_w_left)) AS anonymous_w_left, sum(if({by_visit:Bool}, step_sums.visit_w_blocked, step_sums.anonymous_w_blocked)) AS anonymous_w_blocked
FROM step_sums FINAL
WHERE tenant = {tenant:String} AND journey = {journey:String} AND step = {step:String} AND traffic = 'real' AND every = 'day'
  AND t >= {since:DateTime('UTC')} AND t < {until:DateTime('UTC')}
