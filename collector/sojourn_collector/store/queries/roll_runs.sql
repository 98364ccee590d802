-- Sums of the runs that began in [since, until), by journey, traffic, location and hour or day; persons are counted here and named nowhere.
-- `t` is the hour in UTC, of a day its date in `zone` written as midnight. The buckets of `took` are those of store/buckets.py.
-- Units of the score are persons, apart from them visits without identity (`anonymous_…`), and every visit by itself, whosever it is (`visit_…`).
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
  sum(v_units) AS visit_units, sum(v_sum) AS visit_w_sum, sum(v_squares) AS visit_w_squares, sum(v_severity) AS visit_w_severity,
  sum(v_slow) AS visit_w_slow, sum(v_recovered) AS visit_w_recovered, sum(v_left) AS visit_w_left, sum(v_blocked) AS visit_w_blocked,
  sumMap(durations) AS took
FROM (
  SELECT journey, traffic, location, person_id, nobody, known, t, sum(v_n) AS n, sum(v_f) AS f, sum(v_g) AS g, sum(v_s) AS s, max(v_ends) AS ends,
    sum(v_passed) AS o_passed, sum(v_degraded) AS o_degraded, sum(v_failed) AS o_failed, sum(v_inconclusive) AS o_inconclusive, sum(v_skipped) AS o_skipped,
    sum(v_flaky) AS fl, maxIf(v_worst, v_ends) AS worst, maxIf(v_w, v_ends) AS w,
    countIf(visit) AS v_units, sumIf(v_w, visit) AS v_sum, sumIf(v_w * v_w, visit) AS v_squares, sumIf(v_w * v_worst, visit) AS v_severity,
    sumIf(v_w, v_worst > 0 AND v_worst <= 0.4 AND visit) AS v_slow, sumIf(v_w, v_worst > 0.4 AND v_worst <= 0.7 AND visit) AS v_recovered,
    sumIf(v_w, v_worst > 0.7 AND v_worst <= 0.9 AND visit) AS v_left, sumIf(v_w, v_worst > 0.9 AND visit) AS v_blocked,
    sumMap(v_durations) AS durations
  FROM (
    SELECT journey, traffic, location, person_id, traffic = 'real' AND person_kind = 'visit' AS nobody, traffic = 'real' AND person_kind != 'visit' AS known,
      if({every:String} = 'day', toDateTime(toDate(started, {zone:String}), 'UTC'), toStartOfHour(toTimeZone(toDateTime(started), 'UTC'))) AS t,
      count() AS v_n, countIf(end = 'finished') AS v_f, countIf(end = 'gave_up') AS v_g, countIf(end = 'stopped') AS v_s, countIf(settled) > 0 AS v_ends,
      traffic = 'real' AND v_ends AS visit,
      countIf(outcome = 'passed') AS v_passed, countIf(outcome = 'degraded') AS v_degraded, countIf(outcome = 'failed') AS v_failed,
      countIf(outcome = 'inconclusive') AS v_inconclusive, countIf(outcome = 'skipped') AS v_skipped, countIf(flaky) AS v_flaky,
      maxIf(toFloat64(severity), settled) AS v_worst, maxIf(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1), settled) AS v_w,
      sumMapIf(map(toInt16(ceil(log(greatest(toFloat64(toUnixTimestamp64Milli(ended) - toUnixTimestamp64Milli(started)), 0.001)) / 0.020000666706669435)), toUInt64(1)),
        if(traffic = 'real', end = 'finished', outcome IN ('passed', 'degraded'))) AS v_durations
    FROM runs FINAL
    WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
      AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
    GROUP BY journey, traffic, location, person_id, session_id, nobody, known, t
  ) GROUP BY journey, traffic, location, person_id, nobody, known, t
) GROUP BY journey, traffic, location, t
