-- Sessions in which one of these names was seen, each with everyone seen in it.
SELECT session_id, arrayFilter(x -> x != '', groupUniqArray(user_id)) AS users, arrayFilter(x -> x != '', groupUniqArray(visitor_id)) AS visitors
FROM (
  SELECT session_id, user_id, visitor_id, account_id FROM spans WHERE tenant = {tenant:String} AND session_id != '' GROUP BY ALL
  UNION ALL
  SELECT session_id, user_id, visitor_id, account_id FROM events WHERE tenant = {tenant:String} AND session_id != '' GROUP BY ALL
  UNION ALL
  SELECT session_id, user_id, visitor_id, account_id FROM sessions WHERE tenant = {tenant:String} GROUP BY ALL
) GROUP BY session_id
HAVING countIf(user_id IN {users:Array(String)} OR visitor_id IN {visitors:Array(String)} OR session_id IN {sessions:Array(String)}
  OR account_id IN {accounts:Array(String)}) > 0
ORDER BY session_id
SETTINGS max_bytes_before_external_group_by = 500000000
