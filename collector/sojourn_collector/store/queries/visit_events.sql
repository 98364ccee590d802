-- The events of a visit.
SELECT ts, name, body, trace_id, span_id, attrs FROM events
WHERE tenant = {tenant:String} AND session_id = {session:String} AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)}
ORDER BY ts LIMIT 2000
