-- Everyone who belongs to these accounts, by the feed of people, by their visits and by what they used.
SELECT DISTINCT id FROM (
  SELECT id FROM people FINAL WHERE tenant = {tenant:String} AND account_id IN {accounts:Array(String)}
  UNION ALL
  SELECT user_id FROM sessions FINAL WHERE tenant = {tenant:String} AND account_id IN {accounts:Array(String)}
  UNION ALL
  SELECT user_id FROM usage FINAL WHERE tenant = {tenant:String} AND account_id IN {accounts:Array(String)}
) WHERE id != '' ORDER BY id
