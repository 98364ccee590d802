-- Who came to a step, or was hit there, within [since, until] and of them who was hit, by browser and release.
WITH here AS (
  SELECT person_id, session_id, arrayExists(f -> f >= {since:DateTime64(3)} AND f <= {until:DateTime64(3)}, failures) AS was_hit
  FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String}
    AND run_started >= {run_since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
    AND arrayExists(a -> a >= {since:DateTime64(3)} AND a <= {until:DateTime64(3)}, arrayConcat(arrivals, failures))
)
SELECT browser, release, uniqExact(person_id) AS people, uniqExactIf(person_id, was_hit) AS hit
FROM here LEFT JOIN (
  SELECT session_id, browser, release FROM sessions FINAL WHERE tenant = {tenant:String} AND session_id IN (SELECT session_id FROM here)
) AS known USING session_id
GROUP BY browser, release ORDER BY people DESC, browser, release LIMIT 10000
