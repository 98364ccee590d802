-- Owners by id or by the digest of their address; of what several feeds tell of an id the newest.
SELECT id, argMax(email_sha256, version) AS digest, argMax(name, version) AS name, argMax(toString(team), version) AS team FROM owners FINAL
WHERE tenant = {tenant:String} AND (id IN {ids:Array(String)} OR (email_sha256 != '' AND email_sha256 IN {digests:Array(String)}))
GROUP BY id ORDER BY id LIMIT 10000
