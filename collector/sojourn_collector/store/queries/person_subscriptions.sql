-- Subscriptions of a user, and of their account where they name nobody; the one that began last first.
SELECT toString(source) AS source, id, ts, toString(status) AS status, toFloat64OrNull(toString(mrr)) AS monthly, toString(currency) AS currency, toString(interval) AS interval,
  toString(plan) AS plan, renews_at, cancel_at, if(status = 'ended', ifNull(ended_at, received), NULL) AS ended, toString(reason) AS reason, comment, user_id, account_id
FROM subscriptions FINAL
WHERE tenant = {tenant:String} AND ((user_id != '' AND user_id = {user:String}) OR (user_id = '' AND account_id != '' AND account_id = {account:String}))
ORDER BY ts DESC, id LIMIT 100
