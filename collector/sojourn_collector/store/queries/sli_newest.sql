-- The newest run of each journey, traffic and location, and the newest good one.
SELECT journey, traffic, location, maxIf(started, outcome IN ('passed', 'degraded', 'failed')) AS newest, maxIf(started, outcome IN ('passed', 'degraded')) AS newest_good
FROM runs
WHERE tenant = {tenant:String} AND settled AND NOT deleted AND started >= {since:DateTime64(3)} AND started <= {until:DateTime64(3)}
GROUP BY journey, traffic, location ORDER BY newest DESC LIMIT 1000
