-- Whether feedback was ever received, when the newest was, and how much of the window is linked to no visit; mentions, which hardly ever are, apart.
-- Which they are is looked for by time alone, of every version; the newest of each then counts.
SELECT (SELECT count() FROM feedback WHERE tenant = {tenant:String}) AS records, (SELECT max(received) FROM feedback WHERE tenant = {tenant:String}) AS newest,
  countIf(newest_version.2 = 'unlinked' AND NOT newest_version.3
    AND newest_version.1 >= {since:DateTime64(3)} AND newest_version.1 <= {until:DateTime64(3)}) AS unlinked
FROM (
  SELECT argMax((ts, join, deleted), version) AS newest_version FROM feedback
  WHERE tenant = {tenant:String} AND (source, id) IN (
    SELECT source, id FROM feedback WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)} AND join = 'unlinked' AND kind != 'mention')
  GROUP BY source, id
)
