-- The browser spans of a visit.
SELECT ts, duration_ns, toString(span_type) AS type, name, status, status_message, lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, service, attrs
FROM spans
WHERE tenant = {tenant:String} AND session_id = {session:String} AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)}
ORDER BY ts LIMIT 2000
