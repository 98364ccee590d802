-- The session a trace began in, by any span of the trace that carries one.
SELECT lower(hex(trace_id)) AS key, argMin(session_id, ts) AS session_id FROM spans
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND session_id != ''
  AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
GROUP BY key
