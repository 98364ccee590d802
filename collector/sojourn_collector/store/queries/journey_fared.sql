-- Real runs that began in [since, until): what became of them, when the newest began, and severities by person and local day of those that are over, as
-- the sums the score needs; visits without identity apart. With by_visit each visit counts by itself, whosever it is, all as anonymous.
-- Of who has a run that is not over: Σ w by class (0 = nothing met) of their worst if it succeeds, and of what the sums have of them.
SELECT journey, anonymous, sum(of_finished) AS finished, sum(of_gave_up) AS gave_up, sum(of_stopped) AS stopped, sum(n - of_finished - of_gave_up - of_stopped) AS trying,
  max(last) AS newest, countIf(ends) AS units, sumIf(w, ends) AS w_sum, sumIf(w * w, ends) AS w_squares, sumIf(w * worst, ends) AS w_severity,
  sumIf(w, worst > 0 AND worst <= 0.4 AND ends) AS w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7 AND ends) AS w_recovered,
  sumIf(w, worst > 0.7 AND worst <= 0.9 AND ends) AS w_left, sumIf(w, worst > 0.9 AND ends) AS w_blocked,
  countIf(open) AS trying_units, sumMapIf(map(toUInt8((best > 0) + (best > 0.4) + (best > 0.7) + (best > 0.9)), of_all), open) AS trying_best,
  sumMapIf(map(toUInt8((worst > 0) + (worst > 0.4) + (worst > 0.7) + (worst > 0.9)), w), open AND ends) AS trying_counted
FROM (
  SELECT journey, {by_visit:Bool} OR person_kind = 'visit' AS anonymous, count() AS n, countIf(end = 'finished') AS of_finished, countIf(end = 'gave_up') AS of_gave_up,
    countIf(end = 'stopped') AS of_stopped, max(started) AS last, max(settled) AS ends, maxIf(toFloat64(severity), settled) AS worst,
    maxIf(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1), settled) AS w,
    min(settled) = 0 AS open, greatest(worst, least(0.5, maxIf(toFloat64(severity), NOT settled))) AS best,
    max(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1)) AS of_all
  FROM runs FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
    AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
  GROUP BY journey, if({by_visit:Bool}, session_id, person_id), toDate(started, {zone:String}), anonymous
) GROUP BY journey, anonymous
