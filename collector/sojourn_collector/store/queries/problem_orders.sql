-- Orders of everyone who came to some steps, each within a time of its own, from the time before until now; a probe's and cancelled ones are out, an
-- order counts once.
WITH here AS (
  SELECT person_id, session_id FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey IN {journeys:Array(String)}
    AND run_started >= {run_since:DateTime64(3)} AND run_started <= {run_until:DateTime64(3)}
    AND arrayExists((j, s, since, until) -> journey = j AND step = s AND arrayExists(a -> a >= since AND a <= until, arrivals),
      {journeys:Array(String)}, {steps:Array(String)}, {since:Array(DateTime64(3))}, {until:Array(DateTime64(3))})
)
SELECT id, person_id, session_id, toUnixTimestamp64Milli(ts) AS ms, toFloat64(amount - refunded) AS net, currency
FROM orders FINAL
WHERE tenant = {tenant:String} AND ts >= {orders_since:DateTime64(3)} AND ts <= {orders_until:DateTime64(3)} AND probe = 0 AND status != 'cancelled'
  AND ((person_id != '' AND person_id IN (SELECT person_id FROM here)) OR (session_id != '' AND session_id IN (SELECT session_id FROM here)))
ORDER BY id, version DESC LIMIT 1 BY id LIMIT {most:UInt32}
