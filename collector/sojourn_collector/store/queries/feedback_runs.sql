-- The walks an answer is linked to, each with the step that failed worst and the request that failed there.
SELECT run_id, toString(journey) AS of_journey, started, toString(end) AS end, settled, severity, toString(release) AS release, toString(device) AS device, toString(browser) AS browser,
  toString(app) AS app, at_step, toString(at_kind) AS failure_kind, at_message, at_trace
FROM (
  SELECT * FROM runs FINAL WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {since:DateTime64(3)} AND run_id IN {runs:Array(String)}
) AS mine
LEFT JOIN (
  SELECT run_id AS of_run, argMax(toString(step), (severity, -number)) AS at_step, argMax(failure_kind, (severity, -number)) AS at_kind,
    argMax(failure_message, (severity, -number)) AS at_message, argMax(hit_trace_id, (severity, -number)) AS at_trace
  FROM steps FINAL WHERE tenant = {tenant:String} AND traffic = 'real' AND run_started >= {since:DateTime64(3)} AND run_id IN {runs:Array(String)} AND hit GROUP BY run_id
) AS failed ON mine.run_id = failed.of_run
ORDER BY started LIMIT 50
