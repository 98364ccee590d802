-- Orders of these sessions, or of one person; a purchase counts once.
SELECT id, source, ts, toFloat64(amount) AS gross, toFloat64(amount - refunded) AS net, currency, rate, toString(rate_currency) AS rate_currency, status, probe, session_id, person_id, trace_id, join
FROM orders FINAL
WHERE tenant = {tenant:String} AND ((session_id != '' AND session_id IN {sessions:Array(String)}) OR (person_id != '' AND person_id = {person:String}))
ORDER BY order_key, refunded DESC, version DESC LIMIT 1 BY order_key LIMIT 1000
