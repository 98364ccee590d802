-- When telemetry of each kind was last heard of; the minute rollup knows the distant past, the newest spans the second.
SELECT traffic, max(newest) AS newest FROM (
  SELECT traffic, toDateTime64(max(t), 3) AS newest FROM spans_1m WHERE tenant = {tenant:String} GROUP BY traffic
  UNION ALL
  SELECT traffic, toDateTime64(max(ts), 3) AS newest FROM spans WHERE tenant = {tenant:String} AND ts >= {recent:DateTime64(3)} GROUP BY traffic
) GROUP BY traffic
