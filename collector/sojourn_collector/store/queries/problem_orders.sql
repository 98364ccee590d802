-- Orders of everyone who came to some steps or was hit there, each within a time of its own, from the time before until now; a probe's and cancelled ones are out, an
-- purchase counts once, however many feeds tell of it. In another currency than the report's it is converted where the rate of its day is known.
WITH here AS (
  SELECT person_id, session_id FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey IN {journeys:Array(String)}
    AND run_started >= {run_since:DateTime64(3)} AND run_started <= {run_until:DateTime64(3)}
    AND arrayExists((j, s, since, until) -> journey = j AND step = s AND arrayExists(a -> a >= since AND a <= until, arrayConcat(arrivals, failures)),
      {journeys:Array(String)}, {steps:Array(String)}, {since:Array(DateTime64(3))}, {until:Array(DateTime64(3))})
)
SELECT order_key, id, toString(source) AS feed, person_id, session_id, toUnixTimestamp64Milli(ts) AS ms, toFloat64(amount - refunded) * if(converted, rate, 1) AS net, if(converted, {currency:String}, told) AS currency, converted
FROM (SELECT order_key, source, id, version, person_id, session_id, ts, amount, refunded, rate, probe, status, toString(orders.currency) AS told, orders.currency != {currency:String} AND rate_currency = {currency:String} AS converted
  FROM orders FINAL
  WHERE tenant = {tenant:String} AND ts >= {orders_since:DateTime64(3)} AND ts <= {orders_until:DateTime64(3)} AND probe = 0 AND status != 'cancelled'
  AND ((person_id != '' AND person_id IN (SELECT person_id FROM here)) OR (session_id != '' AND session_id IN (SELECT session_id FROM here))))
ORDER BY order_key, refunded DESC, version DESC LIMIT 1 BY order_key LIMIT {most:UInt32}
