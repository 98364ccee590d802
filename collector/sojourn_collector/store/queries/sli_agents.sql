-- When each agent last spoke of itself.
SELECT location, max(ts) AS newest FROM metrics
WHERE tenant = {tenant:String} AND name = {name:String} AND ts >= {since:DateTime64(3)} AND location != ''
GROUP BY location ORDER BY newest DESC LIMIT 1000
