-- Real runs that began in [since, until): what became of them, when the newest began, and severities by person and local day of those that are over, as
-- the sums the score needs; visits without identity apart.
SELECT journey, anonymous, sum(of_finished) AS finished, sum(of_gave_up) AS gave_up, sum(of_stopped) AS stopped, sum(n - of_finished - of_gave_up - of_stopped) AS trying,
  max(last) AS newest, countIf(ends) AS units, sumIf(w, ends) AS w_sum, sumIf(w * w, ends) AS w_squares, sumIf(w * worst, ends) AS w_severity,
  sumIf(w, worst > 0 AND worst <= 0.4 AND ends) AS w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7 AND ends) AS w_recovered,
  sumIf(w, worst > 0.7 AND worst <= 0.9 AND ends) AS w_left, sumIf(w, worst > 0.9 AND ends) AS w_blocked
FROM (
  SELECT journey, person_kind = 'visit' AS anonymous, count() AS n, countIf(end = 'finished') AS of_finished, countIf(end = 'gave_up') AS of_gave_up,
    countIf(end = 'stopped') AS of_stopped, max(started) AS last, max(settled) AS ends, maxIf(toFloat64(severity), settled) AS worst,
    maxIf(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1), settled) AS w
  FROM runs FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
  GROUP BY journey, person_id, toDate(started, {zone:String}), anonymous
) GROUP BY journey, anonymous
