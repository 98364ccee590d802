-- Of each person's day in a journey the worst that happened at one step, the earliest where several are alike: by step and cause. `reached` = all who came to the step.
-- With by_visit each visit counts by itself, whosever it is.
WITH mine AS (
  SELECT if({by_visit:Bool}, session_id, person_id) AS who, toDate(run_started, {zone:String}) AS day, step, number, toFloat64(severity) AS bad, hit, slow,
    1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1) AS w,
    multiIf(hit AND hit_status > 0, concat(toString(hit_status), ' from ', hit_method, ' ', hit_path), hit AND failure_message != '', failure_message,
      hit, toString(failure_kind), slow, 'slow', '') AS cause
  FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND settled AND reached AND ({by_visit:Bool} OR person_kind != 'visit')
    AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)}
)
SELECT step AS value, '' AS cause, uniqExact(who, day) AS people, 0. AS w_severity, any(number) AS place, 0. AS w_slow, 0. AS w_recovered, 0. AS w_left, 0. AS w_blocked FROM mine GROUP BY step
UNION ALL
SELECT at_step AS value, by_cause AS cause, count() AS people, sum(weight * worst) AS w_severity, 0 AS place,
  sumIf(weight, worst > 0 AND worst <= 0.4) AS w_slow, sumIf(weight, worst > 0.4 AND worst <= 0.7) AS w_recovered,
  sumIf(weight, worst > 0.7 AND worst <= 0.9) AS w_left, sumIf(weight, worst > 0.9) AS w_blocked
FROM (
  SELECT argMax((step, cause), (bad, -number)).1 AS at_step, argMax((step, cause), (bad, -number)).2 AS by_cause, max(bad) AS worst, max(w) AS weight
  FROM mine GROUP BY who, day HAVING worst > 0
) GROUP BY value, cause ORDER BY w_severity DESC LIMIT 2000
