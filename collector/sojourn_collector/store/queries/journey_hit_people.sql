-- How many people met a failure in a journey in [since, until), and how many of them no survey about it has reached since their first; who answered was asked.
WITH walked AS (
  SELECT run_id, person_id, person_kind, severity, started FROM runs FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
)
SELECT count() AS people, countIf(last_asked < first_hit) AS never_asked
FROM (
  SELECT person_id AS person, min(started) AS first_hit FROM walked WHERE severity >= {severity:Float32} AND person_kind != 'visit' GROUP BY person
) AS hit
LEFT JOIN (
  SELECT person_id AS who, max(ts) AS last_asked FROM (
    SELECT person_id, ts, journey, run_ids FROM invitations FINAL
    WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND status != 'bounced' AND person_id != ''
    UNION ALL
    SELECT person_id, ts, journey, run_ids FROM feedback FINAL
    WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND kind IN ('csat', 'nps', 'ces', 'rating') AND person_id != ''
  )
  WHERE journey = {journey:String} OR arrayExists(r -> r IN (SELECT run_id FROM walked), run_ids)
  GROUP BY who
) AS asked ON hit.person = asked.who
