-- What every probe run met at every step, on the last attempt that says something: per location the failures with their runs, and of the passes
-- only when they ended and began, in the order of their ends. A run measured on a starved host says nothing.
SELECT journey, step, location, failures, passes.1 AS pass_ends, passes.2 AS pass_begins
FROM (
  SELECT journey, step, location, groupArrayIf((run, began, greatest(began, over)), outcome = 'failed') AS failures,
    arraySort(groupArrayIf((greatest(began, over), began), outcome != 'failed')) AS passes
  FROM (
    SELECT journey, step, run_id AS run, any(s.location) AS location, argMax(s.outcome, attempt) AS outcome,
      toUnixTimestamp64Milli(argMax(s.started, attempt)) AS began, toUnixTimestamp64Milli(argMax(s.last_seen, attempt)) AS over
    FROM steps AS s FINAL
    WHERE tenant = {tenant:String} AND traffic = 'synthetic' AND run_started >= {since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
      AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
      AND run_id NOT IN (
        SELECT run_id FROM runs FINAL
        WHERE tenant = {tenant:String} AND traffic = 'synthetic' AND started >= {since:DateTime64(3)} AND runs.outcome = 'inconclusive')
    GROUP BY journey, step, run_id
  ) WHERE outcome IN ('passed', 'degraded', 'failed')
  GROUP BY journey, step, location
)
