-- The addresses, as digests, of people who are kept.
SELECT source, id, email_sha256 FROM people FINAL
WHERE tenant = {tenant:String} AND (source, id) IN (SELECT arrayJoin(arrayZip({sources:Array(String)}, {keys:Array(String)})))
