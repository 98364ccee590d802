-- Feedback of those people since they came to the step.
WITH here AS (
  SELECT person_id, session_id FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String}
    AND run_started >= {run_since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
    AND arrayExists(a -> a >= {since:DateTime64(3)} AND a <= {until:DateTime64(3)}, arrivals)
)
SELECT source, id, ts, kind, value, scale_min, scale_max, higher_is_better, satisfied, comment, journey, session_id, person_id, join
FROM feedback FINAL
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts <= {answers_until:DateTime64(3)}
  AND ((session_id != '' AND session_id IN (SELECT session_id FROM here)) OR (person_id != '' AND person_id IN (SELECT person_id FROM here)))
ORDER BY ts DESC LIMIT 20000
