-- When the newest real run of each journey in [since, until) began.
SELECT journey, max(started) AS newest FROM runs
WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)} GROUP BY journey
