-- Backend spans of these traces.
SELECT ts, duration_ns, name, status, status_message, lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, service, kind, attrs FROM spans
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)} AND span_type = ''
  AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
ORDER BY ts LIMIT 2000
