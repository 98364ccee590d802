-- Whole days of the sums of people over all journeys; `t` within [since, until).
SELECT sum(run_sums.units) AS units, sum(run_sums.w_sum) AS w_sum, sum(run_sums.w_squares) AS w_squares, sum(run_sums.w_severity) AS w_severity,
  sum(run_sums.w_slow) AS w_slow, sum(run_sums.w_recovered) AS w_recovered, sum(run_sums.w_left) AS w_left, sum(run_sums.w_blocked) AS w_blocked,
  sum(run_sums.anonymous_units) AS anonymous_units
FROM run_sums FINAL
WHERE tenant = {tenant:String} AND journey = '' AND traffic = 'real' AND every = 'day' AND t >= {since:DateTime('UTC')} AND t < {until:DateTime('UTC')}
