-- Sessions with browser signals in the journal files (after, until], and the earliest time touched in each.
SELECT session_id, min(ts) AS first FROM (
  SELECT session_id, ts FROM spans
  WHERE tenant = {tenant:String} AND seq > {after:UInt64} AND seq <= {until:UInt64}
    AND session_id != '' AND span_type IN ('page_view', 'action', 'fetch')
  UNION ALL
  SELECT session_id, ts FROM events
  WHERE tenant = {tenant:String} AND seq > {after:UInt64} AND seq <= {until:UInt64} AND session_id != ''
) GROUP BY session_id ORDER BY first, session_id
