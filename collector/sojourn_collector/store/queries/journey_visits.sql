-- The newest real visits that tried a journey, with the worst they met.
SELECT session_id, max(toFloat64(severity)) AS worst, min(runs.started) AS first FROM runs FINAL
WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND started >= {since:DateTime64(3)} AND started <= {until:DateTime64(3)}
GROUP BY session_id ORDER BY first DESC LIMIT 50
