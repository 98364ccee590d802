-- Accounts of which nobody has answered since a moment, those that pay most first, with when somebody answered last.
SELECT id, name, plan, owner, monthly, currency, toUnixTimestamp64Milli(answered) AS answered_ms, count() OVER () AS accounts, (SELECT count(DISTINCT id) FROM accounts FINAL WHERE tenant = {tenant:String}) AS known
FROM (
  SELECT id, name, plan, owner, mrr AS monthly, currency FROM told(accounts: name, plan, owner, mrr)
) AS told
LEFT JOIN (
  SELECT account, max(ts) AS answered FROM (
    SELECT if(f.account_id != '', f.account_id, who.account_id) AS account, ts
    FROM (SELECT account_id, person_id, ts FROM feedback FINAL WHERE tenant = {tenant:String} AND kind IN ('csat', 'nps', 'ces', 'rating')) AS f
    LEFT JOIN (SELECT id, account_id FROM told(people: account_id)) AS who ON f.person_id = concat('user:', who.id)
  ) WHERE account != '' GROUP BY account
) AS said ON told.id = said.account
WHERE answered < {before:DateTime64(3)}
ORDER BY monthly DESC NULLS LAST, id LIMIT {most:UInt32}
