-- Accounts by id; where several sources know one, the newest row counts.
SELECT id, name, plan, segment, owner, toFloat64OrNull(toString(mrr)) AS monthly, currency FROM accounts FINAL
WHERE tenant = {tenant:String} AND id IN {ids:Array(String)} ORDER BY version DESC LIMIT 1 BY id
