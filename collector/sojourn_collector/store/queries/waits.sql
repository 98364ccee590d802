-- Each settled walk's first wait at each step (main content shown, else page loaded; 0 where it is not known) and whether the walk finished. `waited`: from arrival to
-- the last sign of them there, for those of whom no paint is known. Of many walks one in so many is read. `answered`: only walks about which somebody answered.
WITH told AS (
  SELECT run_id, argMax(value, (ts, id)) AS value, argMax(scale_min, (ts, id)) AS scale_min, argMax(scale_max, (ts, id)) AS scale_max,
    argMax(higher_is_better, (ts, id)) AS higher_is_better, argMax(tuple(satisfied), (ts, id)).1 AS satisfied
  FROM (
    SELECT arrayJoin(run_ids) AS run_id, ts, id, value, scale_min, scale_max, higher_is_better, satisfied
    FROM feedback FINAL
    WHERE tenant = {tenant:String} AND {answered:UInt8} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} + INTERVAL 4 DAY AND kind IN ('csat', 'rating')
      AND value IS NOT NULL AND scale_min IS NOT NULL AND scale_max IS NOT NULL
  )
  GROUP BY run_id
), walked AS (
  SELECT run_id, end = 'finished' AS finished, toString(browser) AS browser, facts['network'] AS network FROM runs FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND settled AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
    AND cityHash64(run_id) % {one_in:UInt32} = 0 AND (NOT {answered:UInt8} OR run_id IN (SELECT run_id FROM told))
)
SELECT step, person_id AS person, toString(device) AS of_device, toHour(started, {zone:String}) AS hour, if(lcp_ms > 0, lcp_ms, load_ms) AS latency,
  dateDiff('millisecond', started, last_seen) AS waited, hit, walked.finished AS finished, walked.browser AS browser, walked.network AS network,
  told.value AS value, told.scale_min AS scale_min, told.scale_max AS scale_max, told.higher_is_better AS higher_is_better, told.satisfied AS satisfied
FROM steps FINAL
INNER JOIN walked ON steps.run_id = walked.run_id
LEFT JOIN told ON steps.run_id = told.run_id
WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND reached AND settled
  AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)} AND cityHash64(steps.run_id) % {one_in:UInt32} = 0
ORDER BY step, person, started LIMIT {most:UInt32}
