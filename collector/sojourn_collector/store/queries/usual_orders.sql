-- How many real orders there were in one currency and their mean net value; `own_` = of walks through this journey, with a sample of their values.
SELECT count() AS orders, ifNull(avgOrNull(net), 0) AS mean_value, countIf(own) AS own_orders, ifNull(avgOrNullIf(net, own), 0) AS own_mean,
  groupArraySampleIf(2000, 1)(net, own) AS own_values
FROM (
  SELECT toFloat64(amount - refunded) AS net, run_id != '' AND run_id IN (
    SELECT run_id FROM runs FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String}
      AND started >= {since:DateTime64(3)} - INTERVAL 1 DAY AND started < {until:DateTime64(3)}) AS own
  FROM orders FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND probe = 0 AND status != 'cancelled' AND currency = {currency:String}
  ORDER BY id, version DESC LIMIT 1 BY id
)
