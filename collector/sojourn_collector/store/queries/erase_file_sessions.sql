-- Sessions in one journal file, each with everyone seen in it there.
SELECT session_id, arrayFilter(x -> x != '', groupUniqArray(user_id)) AS users, arrayFilter(x -> x != '', groupUniqArray(visitor_id)) AS visitors
FROM (
  SELECT session_id, user_id, visitor_id FROM spans WHERE tenant = {tenant:String} AND seq = {seq:UInt64} AND session_id != ''
  UNION ALL
  SELECT session_id, user_id, visitor_id FROM events WHERE tenant = {tenant:String} AND seq = {seq:UInt64} AND session_id != ''
) GROUP BY session_id ORDER BY session_id
