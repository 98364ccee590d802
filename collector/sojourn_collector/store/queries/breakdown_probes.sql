-- Our probes' walks of a journey by the location of their agent.
SELECT toString(location) AS location, count() AS runs, countIf(outcome = 'passed') AS passed, countIf(outcome = 'degraded') AS degraded, countIf(outcome = 'failed') AS failed,
  countIf(outcome IN ('inconclusive', 'skipped')) AS not_counted
FROM runs FINAL
WHERE tenant = {tenant:String} AND traffic = 'synthetic' AND journey = {journey:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
GROUP BY location ORDER BY failed DESC, location LIMIT 200
