-- Visits with browser signals in these traces, and the earliest of them. Visits that our own probes made are no customers'.
WITH wanted AS (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16) AS id)
SELECT session_id, min(at) AS first FROM (
  SELECT session_id, ts AS at FROM spans
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)} AND session_id != '' AND traffic != 'synthetic'
    AND span_type IN ('page_view', 'action', 'fetch') AND trace_id IN wanted
  UNION ALL
  SELECT session_id, ts AS at FROM events
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)} AND session_id != '' AND traffic != 'synthetic'
    AND trace_id IN {traces:Array(String)}
) GROUP BY session_id ORDER BY first, session_id
