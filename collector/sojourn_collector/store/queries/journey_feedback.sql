-- Feedback about a journey: of those who tried it, or that names it.
SELECT source, id, ts, kind, value, scale_min, scale_max, higher_is_better, satisfied, comment, survey_id, journey, partial, session_id, person_id, join
FROM feedback FINAL
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)}
  AND (journey = {journey:String} OR arrayExists(r -> r IN (
    SELECT run_id FROM runs FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String}
      AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)}), run_ids))
ORDER BY ts DESC LIMIT 20000
