-- Severities by person and local day, as the sums the score needs; visits without identity apart.
SELECT journey, anonymous, count() AS units, sum(w) AS w_sum, sum(w * w) AS w_squares, sum(w * worst) AS w_severity,
  sumIf(w, worst > 0 AND worst <= 0.4) AS w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7) AS w_recovered,
  sumIf(w, worst > 0.7 AND worst <= 0.9) AS w_left, sumIf(w, worst > 0.9) AS w_blocked
FROM (
  SELECT journey, person_id, toDate(started, {zone:String}) AS day, person_kind = 'visit' AS anonymous, max(toFloat64(severity)) AS worst,
    max(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1)) AS w
  FROM runs FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND settled AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
  GROUP BY journey, person_id, day, anonymous
) GROUP BY journey, anonymous
