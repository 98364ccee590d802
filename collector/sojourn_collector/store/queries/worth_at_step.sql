-- What everyone who came to a step or was hit there within [since, until], in the first so many walks, was worth before: what they paid in [paid_since, paid_until) in one currency, since when they are known, and
-- the account they belong to with its recurring revenue.
WITH here AS (
  SELECT DISTINCT person_id, account_id FROM (
    SELECT person_id, account_id, person_kind FROM steps FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String}
      AND run_started >= {run_since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
      AND arrayExists(a -> a >= {since:DateTime64(3)} AND a <= {until:DateTime64(3)}, arrayConcat(arrivals, failures))
    ORDER BY run_started, run_id LIMIT {most:UInt32}
  ) WHERE person_kind != 'visit'
), theirs AS (
  SELECT person_id AS person, if(max(account_id) != '', max(account_id), max(told.account_id)) AS account
  FROM here LEFT JOIN (SELECT concat('user:', id) AS of_person, account_id FROM told(people: account_id)) AS told
    ON here.person_id = told.of_person
  GROUP BY person_id
)
SELECT person, account, paid, orders, toUnixTimestamp64Milli(first_order) AS ordered_since, toUnixTimestamp64Milli(first_seen) AS seen_since, segment, plan, name, mrr, mrr_currency, renewal
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
  SELECT id, name, segment, plan, mrr, currency AS mrr_currency, renewal_date AS renewal
  FROM told(accounts: name, segment, plan, mrr, renewal_date) WHERE id IN (SELECT account FROM theirs WHERE account != '')
) AS told_accounts ON theirs.account = told_accounts.id
