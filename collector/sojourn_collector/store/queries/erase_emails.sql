-- Digests of the addresses of these users, as any feed gave them. An address that other users have too names nobody alone.
SELECT email FROM (SELECT id, email_sha256 AS email FROM people WHERE tenant = {tenant:String} AND email_sha256 != '')
GROUP BY email HAVING countIf(id IN {users:Array(String)}) > 0 AND countIf(id NOT IN {users:Array(String)}) = 0
ORDER BY email
