-- Traces of these sessions and users.
SELECT DISTINCT trace FROM (
  SELECT lower(hex(trace_id)) AS trace FROM spans
  WHERE tenant = {tenant:String} AND (session_id IN {sessions:Array(String)} OR user_id IN {users:Array(String)})
  UNION ALL
  SELECT trace_id FROM events WHERE tenant = {tenant:String} AND (session_id IN {sessions:Array(String)} OR user_id IN {users:Array(String)})
  UNION ALL
  SELECT arrayJoin(trace_ids) FROM sessions WHERE tenant = {tenant:String} AND session_id IN {sessions:Array(String)}
) WHERE trace != '' AND trace != '00000000000000000000000000000000' ORDER BY trace
