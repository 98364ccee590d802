-- Root and step spans of these synthetic runs.
SELECT run_id, ts, duration_ns, lower(hex(trace_id)) AS trace_id, span_type, journey, step, attrs, res, events_name, events_attrs
FROM spans
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND run_id IN {runs:Array(String)}
  AND traffic = 'synthetic' AND span_type IN ('run', 'step')
ORDER BY run_id, ts
