-- What a person used in [looked, until), by the name of the event: how often since `since` and between `before` and then, on which days, and when last.
SELECT event, countIf(ts >= {since:DateTime64(3)}) AS times, countIf(ts >= {before:DateTime64(3)} AND ts < {since:DateTime64(3)}) AS times_before, max(ts) AS last,
  groupUniqArrayIf(64)(toString(toDate(ts, {zone:String})), ts >= {since:DateTime64(3)}) AS days
FROM usage FINAL
WHERE tenant = {tenant:String} AND ts >= {looked:DateTime64(3)} AND ts < {until:DateTime64(3)}
  AND if({user:String} != '', user_id = {user:String}, user_id = '' AND if({visitor:String} != '', visitor_id = {visitor:String}, visitor_id = '' AND given_session_id = {session:String}))
GROUP BY event ORDER BY times DESC, last DESC, event LIMIT 1000
