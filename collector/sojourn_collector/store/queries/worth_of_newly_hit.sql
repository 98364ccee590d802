-- What those known by name whose first failure at a step after `begin` came at `since` or later were worth before: what they paid in [paid_since, paid_until) in one currency, and the
-- account they belong to with what it pays a month. Who only found it slow is not hit.
WITH hit_people AS (
  SELECT person_id, max(account_id) AS account_id FROM (
    SELECT person_id, account_id, arrayJoin(failures) AS failed FROM steps FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND person_kind != 'visit' AND hit AND journey = {journey:String} AND step = {step:String}
      AND run_started >= {run_since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
  )
  WHERE failed >= {begin:DateTime64(3)} GROUP BY person_id HAVING min(failed) >= {since:DateTime64(3)}
)
SELECT person, account, paid, mrr, mrr_currency
FROM (
  SELECT person_id AS person, if(hit_people.account_id != '', hit_people.account_id, told.account_id) AS account
  FROM hit_people LEFT JOIN (SELECT concat('user:', id) AS of_person, account_id FROM told(people: account_id)) AS told ON hit_people.person_id = told.of_person
) AS theirs
LEFT JOIN (
  SELECT person_id, sum(net) AS paid FROM (
    SELECT id, person_id, toFloat64(amount - refunded) * if(currency = {currency:String}, 1, rate) AS net FROM orders FINAL
    WHERE tenant = {tenant:String} AND ts >= {paid_since:DateTime64(3)} AND ts < {paid_until:DateTime64(3)} AND probe = 0 AND status != 'cancelled'
      AND (currency = {currency:String} OR rate_currency = {currency:String}) AND person_id != '' AND person_id IN (SELECT person_id FROM hit_people)
    ORDER BY order_key, refunded DESC, version DESC LIMIT 1 BY order_key
  ) GROUP BY person_id
) AS paying ON theirs.person = paying.person_id
LEFT JOIN (
  SELECT id, mrr, currency AS mrr_currency FROM told(accounts: mrr)
) AS told_accounts ON theirs.account = told_accounts.id
WHERE paid != 0 OR (account != '' AND mrr IS NOT NULL)
ORDER BY person LIMIT {most:UInt32}
