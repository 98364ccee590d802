-- Feedback and orders that name these persons or sessions, or were joined to them, and name no other user.
SELECT DISTINCT kind, source, id FROM (
  SELECT 'feedback' AS kind, source, id, user_id, visitor_id, person_id, session_id, given_session_id, trace_id FROM feedback WHERE tenant = {tenant:String}
  UNION ALL
  SELECT 'orders', source, id, user_id, visitor_id, person_id, session_id, given_session_id, trace_id FROM orders WHERE tenant = {tenant:String}
) WHERE user_id IN {users:Array(String)} OR (user_id = '' AND (
    visitor_id IN {visitors:Array(String)} OR person_id IN {persons:Array(String)} OR session_id IN {sessions:Array(String)}
    OR given_session_id IN {sessions:Array(String)} OR trace_id IN {traces:Array(String)}))
ORDER BY kind, source, id
