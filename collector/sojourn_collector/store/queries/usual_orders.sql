-- Real orders in one currency of [since, until), of every `one_in`-th: how many, their mean net value, a sample of their values; by journey whose walk
-- ended in one, and as '' all of them.
WITH of_orders AS (
  SELECT order_key, run_id, toFloat64(amount - refunded) * if(currency = {currency:String}, 1, rate) AS net FROM orders FINAL
  WHERE sipHash64(order_key) % {one_in:UInt64} = 0 AND tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND probe = 0 AND status != 'cancelled' AND (currency = {currency:String} OR rate_currency = {currency:String})
  ORDER BY order_key, refunded DESC, version DESC LIMIT 1 BY order_key
)
SELECT journey, count() AS orders, avg(net) AS mean_value, groupArraySample(2000, 1)(net) AS order_values
FROM (
  SELECT DISTINCT journey, order_key, net FROM runs FINAL INNER JOIN of_orders USING run_id
  WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {since:DateTime64(3)} - INTERVAL 1 DAY AND started < {until:DateTime64(3)} AND run_id != ''
)
GROUP BY journey
UNION ALL
SELECT '' AS journey, count() AS orders, ifNull(avgOrNull(net), 0) AS mean_value, [] AS order_values FROM of_orders
