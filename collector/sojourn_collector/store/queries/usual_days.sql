-- Whole days of the sums, added up by journey, customers only (those under no journey's name are of all together); `t` within [since, until). Persons count once a
-- day; visits without identity apart, and every visit by itself, whosever it is.
SELECT journey, sum(run_sums.finished) AS finished, sum(run_sums.gave_up) AS gave_up, sum(run_sums.stopped) AS stopped, sum(run_sums.trying) AS trying,
  sum(run_sums.units) AS units, sum(run_sums.w_sum) AS w_sum, sum(run_sums.w_squares) AS w_squares, sum(run_sums.w_severity) AS w_severity,
  sum(run_sums.w_slow) AS w_slow, sum(run_sums.w_recovered) AS w_recovered, sum(run_sums.w_left) AS w_left, sum(run_sums.w_blocked) AS w_blocked,
  sum(run_sums.anonymous_units) AS anonymous_units, sum(run_sums.anonymous_w_sum) AS anonymous_w_sum, sum(run_sums.anonymous_w_squares) AS anonymous_w_squares,
  sum(run_sums.anonymous_w_severity) AS anonymous_w_severity, sum(run_sums.anonymous_w_slow) AS anonymous_w_slow,
  sum(run_sums.anonymous_w_recovered) AS anonymous_w_recovered, sum(run_sums.anonymous_w_left) AS anonymous_w_left,
  sum(run_sums.anonymous_w_blocked) AS anonymous_w_blocked,
  sum(run_sums.visit_units) AS visit_units, sum(run_sums.visit_w_sum) AS visit_w_sum, sum(run_sums.visit_w_squares) AS visit_w_squares,
  sum(run_sums.visit_w_severity) AS visit_w_severity, sum(run_sums.visit_w_slow) AS visit_w_slow, sum(run_sums.visit_w_recovered) AS visit_w_recovered,
  sum(run_sums.visit_w_left) AS visit_w_left, sum(run_sums.visit_w_blocked) AS visit_w_blocked
FROM run_sums FINAL
WHERE tenant = {tenant:String} AND journey != '' AND traffic = 'real' AND every = 'day' AND t >= {since:DateTime('UTC')} AND t < {until:DateTime('UTC')}
GROUP BY journey
