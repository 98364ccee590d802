-- What active customers were worth in [paid_since, until), by segment: of everyone signed in or known again who came in [since, until), or of every so-manieth of them. Beside each worth the
-- days of `days` that they are known; a price a month speaks for itself. Who is active is read once, as in silent_candidates.sql.
WITH (
  SELECT groupArray((person, account, first_seen)) FROM (
    SELECT person_id AS person, max(account_id) AS account, min(started) AS first_seen FROM sessions FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND person_kind != 'visit' AND started >= least({paid_since:DateTime64(3)}, {since:DateTime64(3)}) AND started < {until:DateTime64(3)}
      AND sipHash64(person_id) % {one_in:UInt32} = 0
    GROUP BY person HAVING max(started) >= {since:DateTime64(3)}
  )
) AS listed
SELECT if(segment != '', segment, plan) AS segment, groupArray(least(1e12, if(priced, {days:Float64} / {month:Float64} * mrr * {rates:Array(Float64)}[indexOf({units:Array(String)}, mrr_currency)], ifNull(paid, 0)))) AS worths,
  groupArray(if(priced, {days:Float64}, least({days:Float64}, dateDiff('second', least(first_seen, if(orders > 0, first_order, first_seen)), {until:DateTime64(3)}) / 86400))) AS known
FROM (
  SELECT person, first_seen, segment, plan, mrr, mrr_currency, paid, orders, first_order, ifNull(orders, 0) = 0 AND mrr IS NOT NULL AND has({units:Array(String)}, mrr_currency) AS priced
  FROM (SELECT one.1 AS person, one.2 AS account, one.3 AS first_seen FROM (SELECT arrayJoin(listed) AS one)) AS active
  LEFT JOIN (
    SELECT person_id, sum(net) AS paid, count() AS orders, min(at) AS first_order FROM (
      SELECT id, person_id, ts AS at, toFloat64(amount - refunded) * if(currency = {currency:String}, 1, rate) AS net FROM orders FINAL
      WHERE tenant = {tenant:String} AND ts >= {paid_since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND probe = 0 AND status != 'cancelled'
        AND (currency = {currency:String} OR rate_currency = {currency:String}) AND person_id GLOBAL IN (SELECT arrayJoin(listed).1)
      ORDER BY order_key, refunded DESC, version DESC LIMIT 1 BY order_key
    ) GROUP BY person_id
  ) AS paying ON active.person = paying.person_id
  LEFT JOIN (
    SELECT concat('user:', id) AS of_person, account_id FROM told(people: account_id)
  ) AS told ON active.person = told.of_person
  LEFT JOIN (
    SELECT id, segment, plan, mrr, currency AS mrr_currency FROM told(accounts: segment, plan, mrr)
  ) AS accounts_told ON if(active.account != '', active.account, told.account_id) = accounts_told.id
)
GROUP BY segment
