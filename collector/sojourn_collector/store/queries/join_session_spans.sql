-- Every browser span of these sessions. A session of more spans than `most` is read up to there.
SELECT session_id, ts, accepted, intDiv(duration_ns, 1000000) AS duration, lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id,
  lower(hex(parent_id)) AS parent_id,   span_type AS kind, '' AS name, traffic, run_id, user_id, visitor_id, account_id, app, attrs, res
FROM spans
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND session_id IN {sessions:Array(String)}
  AND span_type IN ('page_view', 'action', 'fetch')
ORDER BY session_id, ts LIMIT {most:UInt32} BY session_id
