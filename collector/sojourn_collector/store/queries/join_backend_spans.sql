-- The spans of these traces: backends', and which visits' browsers are in them. Of a trace of more than `most` the first.
SELECT lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, lower(hex(parent_id)) AS parent, toString(service) AS of_service, toString(name) AS called,
  kind, status, ts, intDiv(duration_ns, 1000000) AS duration, toString(span_type) AS type, session_id,
  attrs['http.response.status_code'] AS code, attrs['http.status_code'] AS old_code, attrs['http.request.method'] AS method, attrs['http.method'] AS old_method,
  attrs['url.path'] AS path, attrs['http.target'] AS target
FROM spans
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)}
  AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
ORDER BY trace, ts LIMIT {most:UInt32} BY trace
