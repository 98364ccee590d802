-- The same step in the time before, read from the steps themselves: severities by person and local day, how many of the unhurt got it done; visits without
-- identity apart (`anonymous_…`). With by_visit each visit counts by itself, whosever it is, all as anonymous.
SELECT countIf(known) AS units, countIf(known AND was_hit) AS hit, countIf(known AND NOT was_hit) AS unhurt, countIf(known AND NOT was_hit AND was_done) AS unhurt_done, min(first) AS oldest,
  sumIf(w, known) AS w_sum, sumIf(w * w, known) AS w_squares, sumIf(w * worst, known) AS w_severity,
  sumIf(w, worst > 0 AND worst <= 0.4 AND known) AS w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7 AND known) AS w_recovered, sumIf(w, worst > 0.7 AND worst <= 0.9 AND known) AS w_left,
  sumIf(w, worst > 0.9 AND known) AS w_blocked, countIf(NOT known) AS anonymous_units, sumIf(w, NOT known) AS anonymous_w_sum,
  sumIf(w * w, NOT known) AS anonymous_w_squares, sumIf(w * worst, NOT known) AS anonymous_w_severity, sumIf(w, worst > 0 AND worst <= 0.4 AND NOT known) AS anonymous_w_slow,
  sumIf(w, worst > 0.4 AND worst <= 0.7 AND NOT known) AS anonymous_w_recovered, sumIf(w, worst > 0.7 AND worst <= 0.9 AND NOT known) AS anonymous_w_left, sumIf(w, worst > 0.9 AND NOT known) AS anonymous_w_blocked
FROM (
  SELECT max(toFloat64(severity)) AS worst, max(hit) AS was_hit, max(done) AS was_done, min(run_started) AS first, NOT {by_visit:Bool} AND person_kind != 'visit' AS known,
    max(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1)) AS w
  FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String} AND settled
    AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)} AND arrivals[1] < {until:DateTime64(3)}
  GROUP BY if({by_visit:Bool}, session_id, person_id), toDate(run_started, {zone:String}), known
)
