-- People by user id; what several sources say of one is told together.
SELECT id, name, account_id, role FROM told(people: name, account_id, role)
WHERE id IN {ids:Array(String)}
