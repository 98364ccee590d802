-- Sums of the runs that began in [since, until), by journey, traffic, location and hour or day; persons are counted here and named nowhere.
-- `t` is the hour in UTC, of a day its date in `zone` written as midnight. The buckets of `took` are those of store/buckets.py.
-- Units of the score are persons, apart from them visits without identity (`anonymous_…`), and every visit by itself, whosever it is (`visit_…`).
SELECT people.*, visit_units, visit_w_sum, visit_w_squares, visit_w_severity, visit_w_slow, visit_w_recovered, visit_w_left, visit_w_blocked
FROM (
SELECT journey, traffic, location, t, sum(n) AS runs, sum(f) AS finished, sum(g) AS gave_up, sum(s) AS stopped, sum(n - f - g - s) AS trying,
  sum(o_passed) AS passed, sum(o_degraded) AS degraded, sum(o_failed) AS failed, sum(o_inconclusive) AS inconclusive, sum(o_skipped) AS skipped,
  sum(fl) AS flaky, countIf(known) AS people, countIf(nobody) AS anonymous,
  countIf(known AND ends) AS units, sumIf(w, known AND ends) AS w_sum, sumIf(w * w, known AND ends) AS w_squares, sumIf(w * worst, known AND ends) AS w_severity,
  sumIf(w, worst > 0 AND worst <= 0.4 AND known AND ends) AS w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7 AND known AND ends) AS w_recovered,
  sumIf(w, worst > 0.7 AND worst <= 0.9 AND known AND ends) AS w_left, sumIf(w, worst > 0.9 AND known AND ends) AS w_blocked,
  countIf(nobody AND ends) AS anonymous_units, sumIf(w, nobody AND ends) AS anonymous_w_sum, sumIf(w * w, nobody AND ends) AS anonymous_w_squares,
  sumIf(w * worst, nobody AND ends) AS anonymous_w_severity,
  sumIf(w, worst > 0 AND worst <= 0.4 AND nobody AND ends) AS anonymous_w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7 AND nobody AND ends) AS anonymous_w_recovered,
  sumIf(w, worst > 0.7 AND worst <= 0.9 AND nobody AND ends) AS anonymous_w_left, sumIf(w, worst > 0.9 AND nobody AND ends) AS anonymous_w_blocked,
  sumMap(durations) AS took
FROM (
  SELECT journey, traffic, location, person_id, traffic = 'real' AND person_kind = 'visit' AS nobody, traffic = 'real' AND person_kind != 'visit' AS known,
    if({every:String} = 'day', toDateTime(toDate(started, {zone:String}), 'UTC'), toStartOfHour(toTimeZone(toDateTime(started), 'UTC'))) AS t,
    count() AS n, countIf(end = 'finished') AS f, countIf(end = 'gave_up') AS g, countIf(end = 'stopped') AS s, countIf(settled) AS ends,
    countIf(outcome = 'passed') AS o_passed, countIf(outcome = 'degraded') AS o_degraded, countIf(outcome = 'failed') AS o_failed,
    countIf(outcome = 'inconclusive') AS o_inconclusive, countIf(outcome = 'skipped') AS o_skipped, countIf(flaky) AS fl,
    maxIf(toFloat64(severity), settled) AS worst, maxIf(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1), settled) AS w,
    sumMapIf(map(toInt16(ceil(log(greatest(toFloat64(toUnixTimestamp64Milli(ended) - toUnixTimestamp64Milli(started)), 0.001)) / 0.020000666706669435)), toUInt64(1)),
      if(traffic = 'real', end = 'finished', outcome IN ('passed', 'degraded'))) AS durations
  FROM runs FINAL
  WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
    AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
  GROUP BY journey, traffic, location, person_id, nobody, known, t
) GROUP BY journey, traffic, location, t
) AS people
LEFT JOIN (
  SELECT journey, traffic, location, t, count() AS visit_units, sum(w) AS visit_w_sum, sum(w * w) AS visit_w_squares, sum(w * worst) AS visit_w_severity,
    sumIf(w, worst > 0 AND worst <= 0.4) AS visit_w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7) AS visit_w_recovered,
    sumIf(w, worst > 0.7 AND worst <= 0.9) AS visit_w_left, sumIf(w, worst > 0.9) AS visit_w_blocked
  FROM (
    SELECT journey, traffic, location,
      if({every:String} = 'day', toDateTime(toDate(started, {zone:String}), 'UTC'), toStartOfHour(toTimeZone(toDateTime(started), 'UTC'))) AS t,
      max(toFloat64(severity)) AS worst, max(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1)) AS w
    FROM runs FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND settled AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
      AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
    GROUP BY journey, traffic, location, session_id, t
  ) GROUP BY journey, traffic, location, t
) AS visits USING (journey, traffic, location, t)
