-- Every name in the tables of one tenant, by kind; for tombstones that a backup does not know.
SELECT DISTINCT kind, name FROM (
  SELECT pair.1 AS kind, pair.2 AS name FROM (SELECT user_id, visitor_id, session_id FROM spans WHERE tenant = {tenant:String} GROUP BY ALL)
  ARRAY JOIN [('user', user_id), ('visitor', visitor_id), ('session', session_id)] AS pair
  UNION ALL
  SELECT pair.1, pair.2 FROM (SELECT user_id, visitor_id, session_id FROM events WHERE tenant = {tenant:String} GROUP BY ALL)
  ARRAY JOIN [('user', user_id), ('visitor', visitor_id), ('session', session_id)] AS pair
  UNION ALL
  SELECT pair.1, pair.2 FROM (SELECT user_id, visitor_id, session_id FROM sessions WHERE tenant = {tenant:String} GROUP BY ALL)
  ARRAY JOIN [('user', user_id), ('visitor', visitor_id), ('session', session_id)] AS pair
  UNION ALL
  SELECT pair.1, pair.2 FROM (SELECT user_id, visitor_id, given_session_id AS session_id FROM feedback WHERE tenant = {tenant:String}
    UNION ALL SELECT user_id, visitor_id, given_session_id FROM orders WHERE tenant = {tenant:String}
    UNION ALL SELECT user_id, visitor_id, given_session_id FROM tickets WHERE tenant = {tenant:String}
    UNION ALL SELECT user_id, visitor_id, given_session_id FROM subscriptions WHERE tenant = {tenant:String}
    UNION ALL SELECT user_id, visitor_id, given_session_id FROM invitations WHERE tenant = {tenant:String}
    UNION ALL SELECT user_id, visitor_id, given_session_id FROM usage WHERE tenant = {tenant:String})
  ARRAY JOIN [('user', user_id), ('visitor', visitor_id), ('session', session_id)] AS pair
  UNION ALL
  SELECT 'user', id FROM people WHERE tenant = {tenant:String}
  UNION ALL
  SELECT 'email', email_sha256 FROM (SELECT email_sha256 FROM people WHERE tenant = {tenant:String}
    UNION ALL SELECT email_sha256 FROM feedback WHERE tenant = {tenant:String}
    UNION ALL SELECT email_sha256 FROM orders WHERE tenant = {tenant:String}
    UNION ALL SELECT email_sha256 FROM tickets WHERE tenant = {tenant:String}
    UNION ALL SELECT email_sha256 FROM subscriptions WHERE tenant = {tenant:String}
    UNION ALL SELECT email_sha256 FROM invitations WHERE tenant = {tenant:String}
    UNION ALL SELECT email_sha256 FROM usage WHERE tenant = {tenant:String})
  UNION ALL
  SELECT 'author', author FROM feedback WHERE tenant = {tenant:String}
) WHERE name != ''
