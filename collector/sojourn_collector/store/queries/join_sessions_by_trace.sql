-- The session a trace began in, by any span of the trace that carries one. Only the days the traces are known to have been there are looked at.
WITH wanted AS (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16) AS id)
SELECT lower(hex(trace_id)) AS key, argMin(s.session_id, s.ts) AS session_id FROM spans AS s
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND s.session_id != '' AND trace_id IN wanted
  AND toDate(ts) IN (
    SELECT day FROM trace_times
    WHERE tenant = {tenant:String} AND trace IN (SELECT reinterpretAsUInt64(substring(id, 9)) FROM wanted) AND day >= toDate({since:DateTime64(3)}))
GROUP BY key
