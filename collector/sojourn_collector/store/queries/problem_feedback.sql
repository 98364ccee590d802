-- Feedback of everyone who came to some steps or was hit there, each within a time of its own, since the first of them.
WITH here AS (
  SELECT person_id, session_id FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey IN {journeys:Array(String)}
    AND run_started >= {run_since:DateTime64(3)} AND run_started <= {run_until:DateTime64(3)}
    AND arrayExists((j, s, since, until) -> journey = j AND step = s AND arrayExists(a -> a >= since AND a <= until, arrayConcat(arrivals, failures)),
      {journeys:Array(String)}, {steps:Array(String)}, {since:Array(DateTime64(3))}, {until:Array(DateTime64(3))})
)
SELECT source, id, ts, kind, value, scale_min, scale_max, higher_is_better, satisfied, comment, journey, session_id, person_id, join
FROM feedback FINAL
WHERE tenant = {tenant:String} AND ts >= {answers_since:DateTime64(3)} AND ts <= {answers_until:DateTime64(3)}
  AND ((session_id != '' AND session_id IN (SELECT session_id FROM here)) OR (person_id != '' AND person_id IN (SELECT person_id FROM here)))
ORDER BY ts DESC LIMIT {most:UInt32}
