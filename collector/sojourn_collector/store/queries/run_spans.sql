-- The spans of a probe's run: its steps with their expectations, and its exchanges.
SELECT toString(span_type) AS type, toString(step) AS at_step, name, ts, duration_ns, status, status_message, lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span,
  attrs, res['host.name'] AS host, events_name, events_attrs
FROM spans
WHERE tenant = {tenant:String} AND run_id = {run:String} AND traffic = 'synthetic' AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)}
  AND span_type IN ('step', 'exchange')
ORDER BY ts LIMIT 3000
