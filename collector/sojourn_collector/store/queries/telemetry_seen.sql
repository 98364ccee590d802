-- When telemetry of each kind was last heard of: the newest spans know the second, the minute rollup the weeks before, and only of kinds silent
-- for so long the years before them are looked at.
WITH heard AS (
  SELECT traffic, toDateTime64(max(t), 3) AS newest FROM spans_1m WHERE tenant = {tenant:String} AND t >= toDateTime({recent:DateTime64(3)}) - INTERVAL 35 DAY
  GROUP BY traffic
)
SELECT traffic, max(newest) AS newest FROM (
  SELECT traffic, newest FROM heard
  UNION ALL
  SELECT traffic, toDateTime64(max(t), 3) AS newest FROM spans_1m
  WHERE tenant = {tenant:String} AND t < toDateTime({recent:DateTime64(3)}) - INTERVAL 35 DAY AND traffic NOT IN (SELECT traffic FROM heard) GROUP BY traffic
  UNION ALL
  SELECT traffic, toDateTime64(max(ts), 3) AS newest FROM spans WHERE tenant = {tenant:String} AND ts >= {recent:DateTime64(3)} GROUP BY traffic
) GROUP BY traffic
