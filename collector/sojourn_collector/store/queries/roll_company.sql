-- Distinct people by day at the worst they met in any journey, of the runs that began in [since, until) and are over, as sums the score needs; visits without identity apart.
-- With them every visit by itself, whosever it is (`visit_…`), as in roll_runs.sql, and `t` too. Kept among the sums of journeys under no journey's name.
SELECT people.*, visit_units, visit_w_sum, visit_w_squares, visit_w_severity, visit_w_slow, visit_w_recovered, visit_w_left, visit_w_blocked
FROM (
SELECT '' AS journey, 'real' AS traffic, '' AS location, toDateTime(day, 'UTC') AS t, countIf(NOT nobody) AS people, countIf(nobody) AS anonymous,
  countIf(NOT nobody) AS units, sumIf(w, NOT nobody) AS w_sum, sumIf(w * w, NOT nobody) AS w_squares, sumIf(w * worst, NOT nobody) AS w_severity,
  sumIf(w, worst > 0 AND worst <= 0.4 AND NOT nobody) AS w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7 AND NOT nobody) AS w_recovered,
  sumIf(w, worst > 0.7 AND worst <= 0.9 AND NOT nobody) AS w_left, sumIf(w, worst > 0.9 AND NOT nobody) AS w_blocked,
  countIf(nobody) AS anonymous_units, sumIf(w, nobody) AS anonymous_w_sum, sumIf(w * w, nobody) AS anonymous_w_squares, sumIf(w * worst, nobody) AS anonymous_w_severity,
  sumIf(w, worst > 0 AND worst <= 0.4 AND nobody) AS anonymous_w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7 AND nobody) AS anonymous_w_recovered,
  sumIf(w, worst > 0.7 AND worst <= 0.9 AND nobody) AS anonymous_w_left, sumIf(w, worst > 0.9 AND nobody) AS anonymous_w_blocked
FROM (
  SELECT person_kind = 'visit' AS nobody, toDate(started, {zone:String}) AS day, max(toFloat64(severity)) AS worst,
    max(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1)) AS w
  FROM runs FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND settled AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
  GROUP BY person_id, nobody, day
) GROUP BY day
) AS people
LEFT JOIN (
  SELECT toDateTime(day, 'UTC') AS t, count() AS visit_units, sum(w) AS visit_w_sum, sum(w * w) AS visit_w_squares, sum(w * worst) AS visit_w_severity,
    sumIf(w, worst > 0 AND worst <= 0.4) AS visit_w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7) AS visit_w_recovered,
    sumIf(w, worst > 0.7 AND worst <= 0.9) AS visit_w_left, sumIf(w, worst > 0.9) AS visit_w_blocked
  FROM (
    SELECT toDate(started, {zone:String}) AS day, max(toFloat64(severity)) AS worst,
      max(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1)) AS w
    FROM runs FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND settled AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
    GROUP BY session_id, day
  ) GROUP BY day
) AS visits USING (t)
