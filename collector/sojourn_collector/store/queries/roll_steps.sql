-- Sums of the steps of the runs that began in [since, until), as in roll_runs.sql; of a probe's step every attempt counts.
-- A unit is a person with a run that is over, at their worst; apart from them a visit without identity (`anonymous_…`), and every visit by itself, whosever
-- it is (`visit_…`). What they met is summed by class (score/severities.py): units under `w_…`, attempts under `at_…`.
-- `took` of customers is the time to the largest paint, else the load, of those not hit; of probes the duration of what passed.
SELECT people.*, visit_units, visit_w_sum, visit_w_squares, visit_w_severity, visit_w_slow, visit_w_recovered, visit_w_left, visit_w_blocked
FROM (
SELECT journey, step, traffic, location, t, min(place) AS number, any(title) AS name, sum(n) AS attempts, sum(n_reached) AS reached, sum(n_done) AS done,
  sum(n_hit) AS hit, sum(n_slow) AS slow, sum(n_recovered) AS recovered, sum(n_left) AS abandoned, sum(n_stopped) AS stopped,
  sum(o_passed) AS passed, sum(o_degraded) AS degraded, sum(o_failed) AS failed, sum(o_inconclusive) AS inconclusive, sum(o_skipped) AS skipped,
  countIf(known) AS people, countIf(known AND n_hit > 0) AS people_hit, sum(severities) AS severity_sum,
  countIf(unit) AS units, countIf(unit AND was_hit) AS units_hit, countIf(unit AND NOT was_hit AND was_done) AS unhurt_done,
  sumIf(w, unit) AS w_sum, sumIf(w * w, unit) AS w_squares, sumIf(w * worst, unit) AS w_severity,
  sumIf(w, worst > 0 AND worst <= 0.4 AND unit) AS w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7 AND unit) AS w_recovered,
  sumIf(w, worst > 0.7 AND worst <= 0.9 AND unit) AS w_left, sumIf(w, worst > 0.9 AND unit) AS w_blocked,
  countIf(nameless) AS anonymous_units, sumIf(w, nameless) AS anonymous_w_sum, sumIf(w * w, nameless) AS anonymous_w_squares, sumIf(w * worst, nameless) AS anonymous_w_severity,
  sumIf(w, worst > 0 AND worst <= 0.4 AND nameless) AS anonymous_w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7 AND nameless) AS anonymous_w_recovered,
  sumIf(w, worst > 0.7 AND worst <= 0.9 AND nameless) AS anonymous_w_left, sumIf(w, worst > 0.9 AND nameless) AS anonymous_w_blocked,
  sum(m_slow) AS at_slow, sum(m_recovered) AS at_recovered, sum(m_left) AS at_left, sum(m_blocked) AS at_blocked,
  sumMap(durations) AS took, sumMap(paints) AS lcp
FROM (
  WITH if(traffic = 'real', if(hit, 0, if(lcp_ms > 0, lcp_ms, load_ms)), if(done, duration_ms, 0)) AS took_ms
  SELECT journey, step, traffic, location, person_id, traffic = 'real' AND person_kind != 'visit' AS known,
    if({every:String} = 'day', toDateTime(toDate(run_started, {zone:String}), 'UTC'), toStartOfHour(toTimeZone(toDateTime(run_started), 'UTC'))) AS t,
    min(steps.number) AS place, any(steps.name) AS title, count() AS n, countIf(reached) AS n_reached, countIf(done) AS n_done, countIf(hit) AS n_hit,
    countIf(slow) AS n_slow, countIf(recovered) AS n_recovered, countIf(stopped) AS n_stopped, countIf(hit AND NOT stopped AND severity > 0.7) AS n_left,
    countIf(outcome = 'passed') AS o_passed, countIf(outcome = 'degraded') AS o_degraded, countIf(outcome = 'failed') AS o_failed,
    countIf(outcome = 'inconclusive') AS o_inconclusive, countIf(outcome = 'skipped') AS o_skipped, sum(toFloat64(severity)) AS severities,
    countIf(severity > 0 AND severity <= 0.4) AS m_slow, countIf(severity > 0.4 AND severity <= 0.7) AS m_recovered,
    countIf(severity > 0.7 AND severity <= 0.9) AS m_left, countIf(severity > 0.9) AS m_blocked,
    known AND countIf(settled) > 0 AS unit, traffic = 'real' AND NOT known AND countIf(settled) > 0 AS nameless, maxIf(hit, settled) AS was_hit, maxIf(done, settled) AS was_done, maxIf(toFloat64(severity), settled) AS worst,
    maxIf(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1), settled) AS w,
    sumMapIf(map(toInt16(ceil(log(greatest(took_ms, 0.001)) / 0.020000666706669435)), toUInt64(1)), took_ms > 0) AS durations,
    sumMapIf(map(toInt16(ceil(log(greatest(lcp_ms, 0.001)) / 0.020000666706669435)), toUInt64(1)), lcp_ms > 0) AS paints
  FROM steps FINAL
  WHERE tenant = {tenant:String} AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)}
    AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
  GROUP BY journey, step, traffic, location, person_id, known, t
) GROUP BY journey, step, traffic, location, t
) AS people
LEFT JOIN (
  SELECT journey, step, traffic, location, t, count() AS visit_units, sum(w) AS visit_w_sum, sum(w * w) AS visit_w_squares, sum(w * worst) AS visit_w_severity,
    sumIf(w, worst > 0 AND worst <= 0.4) AS visit_w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7) AS visit_w_recovered,
    sumIf(w, worst > 0.7 AND worst <= 0.9) AS visit_w_left, sumIf(w, worst > 0.9) AS visit_w_blocked
  FROM (
    SELECT journey, step, traffic, location,
      if({every:String} = 'day', toDateTime(toDate(run_started, {zone:String}), 'UTC'), toStartOfHour(toTimeZone(toDateTime(run_started), 'UTC'))) AS t,
      max(toFloat64(severity)) AS worst, max(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1)) AS w
    FROM steps FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND settled AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)}
      AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
    GROUP BY journey, step, traffic, location, session_id, t
  ) GROUP BY journey, step, traffic, location, t
) AS visits USING (journey, step, traffic, location, t)
