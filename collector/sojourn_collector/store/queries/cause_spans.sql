-- Failed spans of these traces.
SELECT lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, lower(hex(parent_id)) AS parent, service, name, toString(span_type) AS type, status_message,
  attrs['http.request.method'] AS method, attrs['url.full'] AS url, attrs['url.path'] AS path, attrs['http.response.status_code'] AS code,
  attrs['error.type'] AS error, toString(step) AS at_step
FROM spans
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)} AND status = 2
  AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
ORDER BY ts LIMIT 5000
