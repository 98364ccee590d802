-- What people who walked through a journey in [since, until) were worth before, or every so-manieth of them: what they paid in [paid_since, paid_until) in one currency, since when
-- they are known, and the account they belong to with its recurring revenue. As worth_at_step.sql, of a whole journey.
WITH here AS (
  SELECT person_id, max(account_id) AS account_id FROM runs FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND settled AND person_kind != 'visit'
    AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)} AND ({one_in:UInt32} <= 1 OR sipHash64(person_id) % {one_in:UInt32} = 0)
  GROUP BY person_id
), theirs AS (
  SELECT person_id AS person, if(here.account_id != '', here.account_id, told.account_id) AS account
  FROM here LEFT JOIN (SELECT concat('user:', id) AS of_person, account_id FROM told(people: account_id)) AS told
    ON here.person_id = told.of_person
)
SELECT person, account, paid, orders, toUnixTimestamp64Milli(first_order) AS ordered_since, toUnixTimestamp64Milli(first_seen) AS seen_since, segment, plan, mrr, mrr_currency
FROM theirs
LEFT JOIN (
  SELECT person_id, sum(net) AS paid, count() AS orders, min(at) AS first_order FROM (
    SELECT id, person_id, ts AS at, toFloat64(amount - refunded) * if(currency = {currency:String}, 1, rate) AS net FROM orders FINAL
    WHERE tenant = {tenant:String} AND ts >= {paid_since:DateTime64(3)} AND ts < {paid_until:DateTime64(3)} AND probe = 0 AND status != 'cancelled'
      AND (currency = {currency:String} OR rate_currency = {currency:String}) AND person_id != '' AND person_id IN (SELECT person FROM theirs)
    ORDER BY order_key, refunded DESC, version DESC LIMIT 1 BY order_key
  ) GROUP BY person_id
) AS paying ON theirs.person = paying.person_id
LEFT JOIN (
  SELECT person_id, min(started) AS first_seen FROM sessions FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {paid_since:DateTime64(3)} AND started < {paid_until:DateTime64(3)} AND person_id IN (SELECT person FROM theirs)
  GROUP BY person_id
) AS seen ON theirs.person = seen.person_id
LEFT JOIN (
  SELECT id, segment, plan, mrr, currency AS mrr_currency FROM told(accounts: segment, plan, mrr) WHERE id IN (SELECT account FROM theirs WHERE account != '')
) AS told_accounts ON theirs.account = told_accounts.id
