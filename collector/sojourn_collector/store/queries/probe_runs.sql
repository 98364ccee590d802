-- The newest probe runs of each journey. Which they are is found by their times alone; what else is told of them is read for those few.
SELECT journey, run_id, started, location, outcome, flaky, (toUnixTimestamp64Milli(ended) - toUnixTimestamp64Milli(started)) / 1000 AS seconds,
  failure_kind, failure_message, failure_step
FROM runs FINAL
WHERE tenant = {tenant:String} AND traffic = 'synthetic' AND started >= {since:DateTime64(3)} AND started <= {until:DateTime64(3)}
  AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
  AND (journey, started) IN (
    SELECT journey, started FROM runs FINAL
    WHERE tenant = {tenant:String} AND traffic = 'synthetic' AND started >= {since:DateTime64(3)} AND started <= {until:DateTime64(3)}
      AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
    ORDER BY started DESC LIMIT {most:UInt32} BY journey)
ORDER BY started DESC LIMIT {most:UInt32} BY journey
