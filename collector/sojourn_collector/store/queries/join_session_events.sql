-- Every log record of these sessions. A session of more records than `most` is read up to there.
SELECT session_id, ts, accepted, 0 AS duration, trace_id, span_id,
  'event' AS kind, name, traffic, run_id, user_id, visitor_id, account_id, app, attrs, res
FROM events
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND session_id IN {sessions:Array(String)}
ORDER BY session_id, ts LIMIT {most:UInt32} BY session_id
