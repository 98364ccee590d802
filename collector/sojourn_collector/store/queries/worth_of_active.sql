-- What active customers were worth in [paid_since, paid_until), by segment: of everyone signed in or known again who came in [since, until), or of every so-manieth of them.
WITH active AS (
  SELECT person_id AS person, max(account_id) AS account FROM sessions FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND person_kind != 'visit' AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
    AND sipHash64(person_id) % {one_in:UInt32} = 0
  GROUP BY person
)
SELECT if(segment != '', segment, plan) AS segment, groupArray(least(1e12, if(ifNull(orders, 0) = 0 AND mrr IS NOT NULL AND has({units:Array(String)}, mrr_currency),
  {months:Float64} * mrr * {rates:Array(Float64)}[indexOf({units:Array(String)}, mrr_currency)], ifNull(paid, 0)))) AS worths
FROM active
LEFT JOIN (
  SELECT person_id, sum(net) AS paid, count() AS orders FROM (
    SELECT id, person_id, toFloat64(amount - refunded) * if(currency = {currency:String}, 1, rate) AS net FROM orders FINAL
    WHERE tenant = {tenant:String} AND ts >= {paid_since:DateTime64(3)} AND ts < {paid_until:DateTime64(3)} AND probe = 0 AND status != 'cancelled'
      AND (currency = {currency:String} OR rate_currency = {currency:String}) AND person_id IN (SELECT person FROM active)
    ORDER BY order_key, refunded DESC, version DESC LIMIT 1 BY order_key
  ) GROUP BY person_id
) AS paying ON active.person = paying.person_id
LEFT JOIN (
  SELECT concat('user:', id) AS of_person, account_id FROM told(people: account_id)
) AS told ON active.person = told.of_person
LEFT JOIN (
  SELECT id, segment, plan, mrr, currency AS mrr_currency FROM told(accounts: segment, plan, mrr)
) AS accounts_told ON if(active.account != '', active.account, told.account_id) = accounts_told.id
GROUP BY segment
