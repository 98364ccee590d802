-- How many real orders there were in one currency, and their mean net value.
SELECT count() AS orders, ifNull(avgOrNull(net), 0) AS mean_value FROM (
  SELECT toFloat64(amount - refunded) AS net FROM orders FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND probe = 0 AND status != 'cancelled' AND currency = {currency:String}
  ORDER BY id, version DESC LIMIT 1 BY id
)
