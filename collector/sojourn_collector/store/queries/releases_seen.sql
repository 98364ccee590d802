-- Releases that customers' visits told of, and since when. A visit that is written twice is seen once by its least time and its id.
SELECT app, release, toUnixTimestamp64Milli(min(started)) AS first_ms, uniq(session_id) AS visits
FROM sessions
WHERE tenant = {tenant:String} AND traffic = 'real' AND release != ''
GROUP BY app, release ORDER BY first_ms DESC LIMIT {most:UInt32}
