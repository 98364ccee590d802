-- The same step in the time before, read from the steps themselves: severities by person and local day, how many of the unhurt got it done.
SELECT count() AS units, countIf(was_hit) AS hit, countIf(NOT was_hit) AS unhurt, countIf(NOT was_hit AND was_done) AS unhurt_done, min(first) AS oldest,
  sum(w) AS w_sum, sum(w * w) AS w_squares, sum(w * worst) AS w_severity,
  sumIf(w, worst > 0 AND worst <= 0.4) AS w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7) AS w_recovered,
  sumIf(w, worst > 0.7 AND worst <= 0.9) AS w_left, sumIf(w, worst > 0.9) AS w_blocked
FROM (
  SELECT max(toFloat64(severity)) AS worst, max(hit) AS was_hit, max(done) AS was_done, min(run_started) AS first,
    max(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1)) AS w
  FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String} AND person_kind != 'visit' AND settled
    AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)} AND arrivals[1] < {until:DateTime64(3)}
  GROUP BY person_id, toDate(run_started, {zone:String})
)
