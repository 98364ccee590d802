-- The session a trace began in, by any span of the trace that carries one.
SELECT lower(hex(trace_id)) AS key, argMin(s.session_id, s.ts) AS session_id FROM spans AS s
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND s.session_id != ''
  AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
GROUP BY key
