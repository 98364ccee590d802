-- Feedback, orders, tickets, subscriptions, invitations and usage that name these persons or sessions, or were joined to them, and name no other user. What an author said in public is theirs.
SELECT DISTINCT kind, source, id FROM (
  SELECT 'feedback' AS kind, source, id, user_id, visitor_id, email_sha256, person_id, session_id, given_session_id, trace_id, author
  FROM feedback WHERE tenant = {tenant:String}
  UNION ALL
  SELECT 'orders', source, id, user_id, visitor_id, email_sha256, person_id, session_id, given_session_id, trace_id, '' FROM orders WHERE tenant = {tenant:String}
  UNION ALL
  SELECT 'tickets', source, id, user_id, visitor_id, email_sha256, person_id, session_id, given_session_id, trace_id, '' FROM tickets WHERE tenant = {tenant:String}
  UNION ALL
  SELECT 'subscriptions', source, id, user_id, visitor_id, email_sha256, '', '', given_session_id, '', '' FROM subscriptions WHERE tenant = {tenant:String}
  UNION ALL
  SELECT 'invitations', source, id, user_id, visitor_id, email_sha256, person_id, session_id, given_session_id, trace_id, ''
  FROM invitations WHERE tenant = {tenant:String}
  UNION ALL
  SELECT 'usage', source, id, user_id, visitor_id, email_sha256, '', '', given_session_id, '', '' FROM usage WHERE tenant = {tenant:String}
) WHERE user_id IN {users:Array(String)} OR (author != '' AND author IN {authors:Array(String)}) OR (user_id = '' AND (
    visitor_id IN {visitors:Array(String)} OR person_id IN {persons:Array(String)} OR session_id IN {sessions:Array(String)}
    OR given_session_id IN {sessions:Array(String)} OR trace_id IN {traces:Array(String)}
    OR (email_sha256 != '' AND email_sha256 IN {emails:Array(String)})))
ORDER BY kind, source, id
