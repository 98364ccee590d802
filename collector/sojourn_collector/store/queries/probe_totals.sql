-- How many probe runs passed of those that say something, and how long the passed ones took.
SELECT journey, countIf(outcome IN ('passed', 'degraded', 'failed')) AS total, countIf(outcome IN ('passed', 'degraded')) AS passed,
  quantileExactIf(0.5)(took, outcome IN ('passed', 'degraded')) AS p50, quantileExactIf(0.95)(took, outcome IN ('passed', 'degraded')) AS p95
FROM (
  SELECT journey, outcome, (toUnixTimestamp64Milli(ended) - toUnixTimestamp64Milli(started)) / 1000 AS took FROM runs FINAL
  WHERE tenant = {tenant:String} AND traffic = 'synthetic' AND started >= {since:DateTime64(3)} AND started <= {until:DateTime64(3)}
) GROUP BY journey
