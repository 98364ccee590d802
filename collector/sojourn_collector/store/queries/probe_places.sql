-- The last summed day in [since, until) on which a run of a journey at a location said something of it.
SELECT journey, location, max(t) AS day FROM run_sums FINAL
WHERE tenant = {tenant:String} AND every = 'day' AND traffic = 'synthetic' AND t >= {since:DateTime('UTC')} AND t < {until:DateTime('UTC')}
  AND passed + degraded + failed > 0 AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
GROUP BY journey, location
