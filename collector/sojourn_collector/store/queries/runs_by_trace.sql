-- Which customer's run these traces belong to; the earliest, where it is several journeys'.
SELECT trace, argMin(run_id, (started, run_id)) AS run, argMin(toString(journey), (started, run_id)) AS of_journey, argMin(session_id, (started, run_id)) AS session
FROM (
  SELECT run_id, journey, session_id, started, arrayJoin(trace_ids) AS trace FROM runs FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {since:DateTime64(3)} AND started <= {until:DateTime64(3)}
    AND hasAny(trace_ids, {traces:Array(String)})
)
WHERE has({traces:Array(String)}, trace)
GROUP BY trace
