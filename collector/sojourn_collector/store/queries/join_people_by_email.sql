-- The newest person of each address, by its digest.
SELECT email_sha256 AS key, argMax(id, version) AS user_id FROM people FINAL
WHERE tenant = {tenant:String} AND email_sha256 IN {digests:Array(String)} GROUP BY key
