-- The same, of days on which people came in certain hours of the week (0 = Monday, 0 to 1 o'clock), by the worst of those hours. Rows of other hours
-- are passed over by their time, which is of the key, before anything else of them is read.
SELECT countIf(known) AS units, countIf(known AND was_hit) AS hit,
  sumIf(w, known) AS w_sum, sumIf(w * w, known) AS w_squares, sumIf(w * worst, known) AS w_severity,
  sumIf(w, worst > 0 AND worst <= 0.4 AND known) AS w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7 AND known) AS w_recovered, sumIf(w, worst > 0.7 AND worst <= 0.9 AND known) AS w_left,
  sumIf(w, worst > 0.9 AND known) AS w_blocked, countIf(NOT known) AS anonymous_units, sumIf(w, NOT known) AS anonymous_w_sum,
  sumIf(w * w, NOT known) AS anonymous_w_squares, sumIf(w * worst, NOT known) AS anonymous_w_severity, sumIf(w, worst > 0 AND worst <= 0.4 AND NOT known) AS anonymous_w_slow,
  sumIf(w, worst > 0.4 AND worst <= 0.7 AND NOT known) AS anonymous_w_recovered, sumIf(w, worst > 0.7 AND worst <= 0.9 AND NOT known) AS anonymous_w_left, sumIf(w, worst > 0.9 AND NOT known) AS anonymous_w_blocked
FROM (
  SELECT max(toFloat64(severity)) AS worst, max(hit) AS was_hit, max(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1)) AS w,
    NOT {by_visit:Bool} AND person_kind != 'visit' AS known
  FROM steps FINAL
  PREWHERE has({hours:Array(UInt8)}, toUInt8((toDayOfWeek(run_started, 0, {zone:String}) - 1) * 24 + toHour(run_started, {zone:String})))
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String} AND settled
    AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)} AND arrivals[1] < {until:DateTime64(3)}
  GROUP BY if({by_visit:Bool}, session_id, person_id), toDate(run_started, {zone:String}), known
)
