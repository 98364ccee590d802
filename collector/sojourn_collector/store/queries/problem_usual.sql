-- The same step in the time before: people reached and hit, severities by person and local day, how many of the unhurt got it done.
-- `then_` counts only days on which they came in those hours of the week (0 = Monday, 0 to 1 o'clock), by the worst of those hours.
SELECT uniqExact(person) AS reached, countIf(was_hit = 0) AS unhurt, countIf(was_hit = 0 AND was_done) AS unhurt_done, min(first) AS oldest,
  countIf(was_hit) AS hit, count() AS units, sum(w) AS w_sum, sum(w * w) AS w_squares, sum(w * worst) AS w_severity,
  countIf(then_came AND then_hit) AS then_hit, countIf(then_came) AS then_units, sumIf(w, then_came) AS then_w_sum,
  sumIf(w * w, then_came) AS then_w_squares, sumIf(w * then_worst, then_came) AS then_w_severity
FROM (
  SELECT person_id AS person, toDate(run_started, {zone:String}) AS day, max(toFloat64(severity)) AS worst, max(hit) AS was_hit, max(done) AS was_done,
    max(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1)) AS w, min(run_started) AS first,
    max(at_that_hour) AS then_came, maxIf(hit, at_that_hour) AS then_hit, maxIf(toFloat64(severity), at_that_hour) AS then_worst
  FROM (
    SELECT person_id, run_started, severity, hit, done, sample_rate,
      has({hours:Array(UInt8)}, toUInt8((toDayOfWeek(run_started, 0, {zone:String}) - 1) * 24 + toHour(run_started, {zone:String}))) AS at_that_hour
    FROM steps FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String} AND person_kind != 'visit' AND settled
      AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)} AND arrivals[1] < {until:DateTime64(3)}
  )
  GROUP BY person_id, day
)
