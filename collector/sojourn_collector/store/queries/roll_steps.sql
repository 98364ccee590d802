-- Sums of the steps of the runs that began in [since, until), as in roll_runs.sql; of a probe's step every attempt counts.
-- A unit is a person with a run that is over, at their worst; apart from them a visit without identity (`anonymous_…`), and every visit by itself, whosever
-- it is (`visit_…`). What they met is summed by class (score/severities.py): units under `w_…`, attempts under `at_…`.
-- `took` of customers is the time to the largest paint, else the load, of those not hit; of probes the duration of what passed.
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
  sum(v_units) AS visit_units, sum(v_sum) AS visit_w_sum, sum(v_squares) AS visit_w_squares, sum(v_severity) AS visit_w_severity,
  sum(v_slow) AS visit_w_slow, sum(v_recovered) AS visit_w_recovered, sum(v_left) AS visit_w_left, sum(v_blocked) AS visit_w_blocked,
  sum(m_slow) AS at_slow, sum(m_recovered) AS at_recovered, sum(m_left) AS at_left, sum(m_blocked) AS at_blocked,
  sumMap(durations) AS took, sumMap(paints) AS lcp
FROM (
  SELECT journey, step, traffic, location, person_id, known, t, min(s_place) AS place, any(s_title) AS title, sum(s_n) AS n, sum(s_reached) AS n_reached,
    sum(s_done) AS n_done, sum(s_hit) AS n_hit, sum(s_slow) AS n_slow, sum(s_recovered) AS n_recovered, sum(s_stopped) AS n_stopped, sum(s_left) AS n_left,
    sum(s_passed) AS o_passed, sum(s_degraded) AS o_degraded, sum(s_failed) AS o_failed, sum(s_inconclusive) AS o_inconclusive, sum(s_skipped) AS o_skipped,
    sum(s_severities) AS severities, sum(c_slow) AS m_slow, sum(c_recovered) AS m_recovered, sum(c_left) AS m_left, sum(c_blocked) AS m_blocked,
    known AND max(s_ends) AS unit, traffic = 'real' AND NOT known AND max(s_ends) AS nameless,
    max(s_was_hit) AS was_hit, max(s_was_done) AS was_done, max(s_worst) AS worst, max(s_w) AS w,
    countIf(visit) AS v_units, sumIf(s_w, visit) AS v_sum, sumIf(s_w * s_w, visit) AS v_squares, sumIf(s_w * s_worst, visit) AS v_severity,
    sumIf(s_w, s_worst > 0 AND s_worst <= 0.4 AND visit) AS v_slow, sumIf(s_w, s_worst > 0.4 AND s_worst <= 0.7 AND visit) AS v_recovered,
    sumIf(s_w, s_worst > 0.7 AND s_worst <= 0.9 AND visit) AS v_left, sumIf(s_w, s_worst > 0.9 AND visit) AS v_blocked,
    sumMap(s_durations) AS durations, sumMap(s_paints) AS paints
  FROM (
    WITH if(traffic = 'real', if(hit, 0, if(lcp_ms > 0, lcp_ms, load_ms)), if(done, duration_ms, 0)) AS took_ms
    SELECT journey, step, traffic, location, person_id, traffic = 'real' AND person_kind != 'visit' AS known,
      if({every:String} = 'day', toDateTime(toDate(run_started, {zone:String}), 'UTC'), toStartOfHour(toTimeZone(toDateTime(run_started), 'UTC'))) AS t,
      min(steps.number) AS s_place, any(steps.name) AS s_title, count() AS s_n, countIf(reached) AS s_reached, countIf(done) AS s_done, countIf(hit) AS s_hit,
      countIf(slow) AS s_slow, countIf(recovered) AS s_recovered, countIf(stopped) AS s_stopped, countIf(hit AND NOT stopped AND severity > 0.7) AS s_left,
      countIf(outcome = 'passed') AS s_passed, countIf(outcome = 'degraded') AS s_degraded, countIf(outcome = 'failed') AS s_failed,
      countIf(outcome = 'inconclusive') AS s_inconclusive, countIf(outcome = 'skipped') AS s_skipped, sum(toFloat64(severity)) AS s_severities,
      countIf(severity > 0 AND severity <= 0.4) AS c_slow, countIf(severity > 0.4 AND severity <= 0.7) AS c_recovered,
      countIf(severity > 0.7 AND severity <= 0.9) AS c_left, countIf(severity > 0.9) AS c_blocked,
      countIf(settled) > 0 AS s_ends, traffic = 'real' AND s_ends AS visit, maxIf(hit, settled) AS s_was_hit, maxIf(done, settled) AS s_was_done,
      maxIf(toFloat64(severity), settled) AS s_worst, maxIf(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1), settled) AS s_w,
      sumMapIf(map(toInt16(ceil(log(greatest(took_ms, 0.001)) / 0.020000666706669435)), toUInt64(1)), took_ms > 0) AS s_durations,
      sumMapIf(map(toInt16(ceil(log(greatest(lcp_ms, 0.001)) / 0.020000666706669435)), toUInt64(1)), lcp_ms > 0) AS s_paints
    FROM steps FINAL
    WHERE tenant = {tenant:String} AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)}
      AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
    GROUP BY journey, step, traffic, location, person_id, session_id, known, t
  ) GROUP BY journey, step, traffic, location, person_id, known, t
) GROUP BY journey, step, traffic, location, t
