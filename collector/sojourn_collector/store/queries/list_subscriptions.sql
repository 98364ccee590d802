-- Subscriptions that began, or ended, in [since, until), newest first, from a place in the list on; an empty parameter does not filter. One that its feed calls ended and
-- not when, ended at the latest when that was told.
SELECT toString(source) AS source, id, ts, toString(status) AS status, toFloat64OrNull(toString(mrr)) AS monthly, toString(currency) AS currency, toString(interval) AS interval,
  toString(plan) AS plan, renews_at, cancel_at, ended, toString(reason) AS reason, comment, user_id, account_id, key
FROM (
  SELECT *, concat(source, '/', id) AS key, if(status = 'ended', ifNull(ended_at, received), NULL) AS ended, if({by:String} = 'ended', ended, ts) AS placed
  FROM subscriptions FINAL
  WHERE tenant = {tenant:String} AND placed >= {since:DateTime64(3)} AND placed < {until:DateTime64(3)}
    AND (toUnixTimestamp64Milli(assumeNotNull(placed)), key) < ({at:Int64}, {after:String})
    AND ({status:String} = '' OR status = {status:String}) AND ({plan:String} = '' OR plan = {plan:String}) AND ({interval:String} = '' OR interval = {interval:String})
    AND ({feed:String} = '' OR source = {feed:String}) AND ({person:String} = '' OR (user_id != '' AND concat('user:', user_id) = {person:String}))
    AND ({account:String} = '' OR account_id = {account:String} OR user_id IN (
      SELECT id FROM told(people: account_id) WHERE {account:String} != '' AND account_id = {account:String}))
    AND ({reason:String} = '' OR reason = {reason:String} OR ({reason:String} = 'unknown' AND reason = '')) AND (NOT {words:UInt8} OR (status = 'ended' AND comment != ''))
)
ORDER BY placed DESC, key DESC LIMIT {most:UInt32}
