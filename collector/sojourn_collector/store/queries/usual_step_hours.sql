-- The same, of days on which people came in certain hours of the week (0 = Monday, 0 to 1 o'clock), by the worst of those hours. Rows of other hours
-- are passed over by their time, which is of the key, before anything else of them is read.
SELECT count() AS units, countIf(was_hit) AS hit, sum(w) AS w_sum, sum(w * w) AS w_squares, sum(w * worst) AS w_severity,
  sumIf(w, worst > 0 AND worst <= 0.4) AS w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7) AS w_recovered,
  sumIf(w, worst > 0.7 AND worst <= 0.9) AS w_left, sumIf(w, worst > 0.9) AS w_blocked
FROM (
  SELECT max(toFloat64(severity)) AS worst, max(hit) AS was_hit, max(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1)) AS w
  FROM steps FINAL
  PREWHERE has({hours:Array(UInt8)}, toUInt8((toDayOfWeek(run_started, 0, {zone:String}) - 1) * 24 + toHour(run_started, {zone:String})))
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String} AND person_kind != 'visit' AND settled
    AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)} AND arrivals[1] < {until:DateTime64(3)}
  GROUP BY person_id, toDate(run_started, {zone:String})
)
