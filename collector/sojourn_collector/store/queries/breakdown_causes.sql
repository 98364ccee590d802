-- Each person's day in a journey belongs to the earliest step that failed in it, where none did to the earliest slow one, at the worst of the whole day: by step and cause, by step, or
-- by failure kind, as `by` says. Rows with `came` = 1 are all who came to a step, weighted as those hit are. `groups` = how many there are of either kind of row.
-- With by_visit each visit counts by itself, whosever it is. With by_person the rows are of each person, of every so-manieth of them.
WITH mine AS (
  SELECT if({by_visit:Bool}, session_id, person_id) AS who, toDate(run_started, {zone:String}) AS day, toString(step) AS at, number, started, toFloat64(severity) AS bad, hit,
    1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1) AS w, multiIf(NOT hit, 'slow', failure_kind != '', toString(failure_kind), 'not known') AS kind,
    multiIf({by:String} = 'failure_kind', (kind, ''), {by:String} = 'step', (at, ''),
      (at, multiIf(hit AND hit_status > 0, concat(toString(hit_status), ' from ', hit_method, ' ', hit_path), hit AND failure_message != '', failure_message, kind))) AS of
  FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND settled AND reached AND ({by_visit:Bool} OR person_kind != 'visit')
    AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)} AND ({one_in:UInt32} <= 1 OR sipHash64(person_id) % {one_in:UInt32} = 0)
)
SELECT if({by_person:Bool}, who, '') AS person, one.1 AS value, one.2 AS cause, one.3 AS came, count() AS people, sum(weight) AS w_sum, sum(weight * weight) AS w_squares, sum(weight * worst) AS w_severity,
  sumIf(weight, worst > 0 AND worst <= 0.4) AS w_slow, sumIf(weight, worst > 0.4 AND worst <= 0.7) AS w_recovered,
  sumIf(weight, worst > 0.7 AND worst <= 0.9) AS w_left, sumIf(weight, worst > 0.9) AS w_blocked, count() OVER (PARTITION BY came) AS groups
FROM (
  SELECT who, max(w) AS weight, max(bad) AS worst, groupUniqArray(at) AS steps, argMinIf(of, (NOT hit, number, -bad, started), bad > 0) AS theirs
  FROM mine GROUP BY who, day
) ARRAY JOIN arrayConcat(arrayMap(step -> (step, '', 1), steps), if(worst > 0, [(theirs.1, theirs.2, 0)], [])) AS one
GROUP BY person, value, cause, came ORDER BY w_severity DESC, value, cause LIMIT {most:UInt32} BY came
