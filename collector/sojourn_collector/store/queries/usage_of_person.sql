-- What a person used in [looked, until), by the name of the event: how often since `since` and between `before` and then, on which days, and when last.
-- Of an event that was told several times the newest counts. Without FINAL, which would sort everybody's: one that was told again of somebody else counts for
-- both until the engine has merged the two.
WITH theirs AS (
  SELECT argMax(event, version) AS what, argMax(ts, version) AS at FROM usage
  WHERE tenant = {tenant:String} AND ts >= {looked:DateTime64(3)} AND ts < {until:DateTime64(3)}
    AND if({user:String} != '', user_id = {user:String}, user_id = '' AND if({visitor:String} != '', visitor_id = {visitor:String}, visitor_id = '' AND given_session_id = {session:String}))
  GROUP BY source, id HAVING argMax(deleted, version) = 0
)
SELECT what AS event, countIf(at >= {since:DateTime64(3)}) AS times, countIf(at >= {before:DateTime64(3)} AND at < {since:DateTime64(3)}) AS times_before, max(at) AS last,
  groupUniqArrayIf(64)(toString(toDate(at, {zone:String})), at >= {since:DateTime64(3)}) AS days
FROM theirs
GROUP BY what ORDER BY times DESC, last DESC, event LIMIT 1000
