-- People by user id; where several sources know one, the newest row counts.
SELECT id, name, account_id, role FROM people FINAL
WHERE tenant = {tenant:String} AND id IN {ids:Array(String)} ORDER BY version DESC LIMIT 1 BY id
