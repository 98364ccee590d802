-- Whether orders were ever received, when the newest was, of each feed when its newest order was placed and when anything came of it first and last, and how many of the
-- window are linked to nobody.
-- Which they are is looked for by time alone, of every version; the newest of each then counts.
SELECT (SELECT count() FROM orders WHERE tenant = {tenant:String}) AS orders, (SELECT max(received) FROM orders WHERE tenant = {tenant:String}) AS newest,
  (SELECT groupArray((source, placed, began, came)) FROM (
    SELECT toString(source) AS source, toUnixTimestamp64Milli(max(least(ts, received))) AS placed, toUnixTimestamp64Milli(min(received)) AS began, toUnixTimestamp64Milli(max(received)) AS came FROM orders
    WHERE tenant = {tenant:String} AND deleted = 0 AND probe = 0 GROUP BY source ORDER BY source LIMIT 1000)) AS feeds,
  countIf(newest_version.2 = 'unlinked' AND NOT newest_version.3
    AND newest_version.1 >= {since:DateTime64(3)} AND newest_version.1 <= {until:DateTime64(3)}
    AND NOT newest_version.4) AS unlinked
FROM (
  SELECT argMax((ts, join, deleted, probe), version) AS newest_version FROM orders
  WHERE tenant = {tenant:String} AND (source, id) IN (
    SELECT source, id FROM orders WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)} AND join = 'unlinked')
  GROUP BY source, id
)
