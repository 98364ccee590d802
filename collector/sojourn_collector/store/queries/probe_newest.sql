-- The newest run of each journey at each location that says something of the journey.
SELECT journey, location, max(started) AS newest, argMax(outcome, started) AS newest_outcome
FROM runs FINAL
WHERE tenant = {tenant:String} AND traffic = 'synthetic' AND started >= {since:DateTime64(3)} AND started <= {until:DateTime64(3)}
  AND outcome IN ('passed', 'degraded', 'failed') AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
GROUP BY journey, location
