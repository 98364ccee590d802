-- Whether orders were ever received, when the newest was, and how many of the window are linked to nobody.
-- Which they are is looked for by time alone, of every version; the newest of each then counts.
SELECT (SELECT count() FROM orders WHERE tenant = {tenant:String}) AS orders, (SELECT max(received) FROM orders WHERE tenant = {tenant:String}) AS newest,
  countIf(newest_version.2 = 'unlinked' AND NOT newest_version.3
    AND newest_version.1 >= {since:DateTime64(3)} AND newest_version.1 <= {until:DateTime64(3)}
    AND NOT newest_version.4) AS unlinked
FROM (
  SELECT argMax((ts, join, deleted, probe), version) AS newest_version FROM orders
  WHERE tenant = {tenant:String} AND (source, id) IN (
    SELECT source, id FROM orders WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)} AND join = 'unlinked')
  GROUP BY source, id
)
