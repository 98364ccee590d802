-- What people who were hurt at some steps, each within a time of its own, were worth before any of it: what they paid in [paid_since, paid_until) in one
-- currency, and what the account they belong to pays a month. Who paid nothing and has no such account is left out.
WITH hurt AS (
  SELECT person_id, max(account_id) AS account_id FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND person_kind != 'visit' AND severity > 0 AND journey IN {journeys:Array(String)}
    AND run_started >= {run_since:DateTime64(3)} AND run_started <= {run_until:DateTime64(3)}
    AND arrayExists((j, s, since, until) -> journey = j AND step = s AND arrayExists(a -> a >= since AND a <= until, arrayConcat(arrivals, failures)),
      {journeys:Array(String)}, {steps:Array(String)}, {since:Array(DateTime64(3))}, {until:Array(DateTime64(3))})
  GROUP BY person_id
)
SELECT person, paid, mrr, mrr_currency
FROM (
  SELECT person_id AS person, if(hurt.account_id != '', hurt.account_id, told.account_id) AS account
  FROM hurt LEFT JOIN (SELECT concat('user:', id) AS of_person, account_id FROM told(people: account_id)) AS told
    ON hurt.person_id = told.of_person
) AS theirs
LEFT JOIN (
  SELECT person_id, sum(net) AS paid FROM (
    SELECT id, person_id, toFloat64(amount - refunded) * if(currency = {currency:String}, 1, rate) AS net FROM orders FINAL
    WHERE tenant = {tenant:String} AND ts >= {paid_since:DateTime64(3)} AND ts < {paid_until:DateTime64(3)} AND probe = 0 AND status != 'cancelled'
      AND (currency = {currency:String} OR rate_currency = {currency:String}) AND person_id != '' AND person_id IN (SELECT person_id FROM hurt)
    ORDER BY order_key, refunded DESC, version DESC LIMIT 1 BY order_key
  ) GROUP BY person_id
) AS paying ON theirs.person = paying.person_id
LEFT JOIN (
  SELECT id, mrr, currency AS mrr_currency FROM told(accounts: mrr)
) AS told_accounts ON theirs.account = told_accounts.id
WHERE paid != 0 OR (account != '' AND mrr IS NOT NULL)
ORDER BY person LIMIT {most:UInt32}
