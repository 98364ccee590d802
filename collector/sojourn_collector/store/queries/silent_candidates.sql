-- Everyone badly hit whose first such run began in [since, until): their worst run, when they last spoke since (an answer, a ticket), consent, what they paid in the `seconds` before they
-- were hit, and since when, from `paid_since` on, they are known. Who was hit is read once: a subquery of one value is, a table expression is read anew wherever it is named. The shards
-- of a cluster are sent who that is (GLOBAL).
WITH (
  SELECT groupArray((person, worst, hit_at, worst_journey, worst_step, worst_session, own_account)) FROM (
    SELECT person_id AS person, max(severity) AS worst, min(started) AS hit_at, argMax(toString(journey), (severity, started)) AS worst_journey,
      argMax(toString(failure_step), (severity, started)) AS worst_step, argMax(session_id, (severity, started)) AS worst_session, max(account_id) AS own_account
    FROM runs FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND settled AND severity >= {severity:Float32} AND person_kind != 'visit'
      AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)} AND ({journey:String} = '' OR journey = {journey:String})
    GROUP BY person ORDER BY hit_at, person LIMIT {most:UInt32}
  )
) AS listed
SELECT hurt.person AS person, hurt.worst AS worst, toUnixTimestamp64Milli(hurt.hit_at) AS hit_ms, worst_journey, worst_step, worst_session,
  greatest(toUnixTimestamp64Milli(answers.spoke), toUnixTimestamp64Milli(asked.spoke)) AS spoke_ms, told.consent AS told_consent, visited.consent AS seen_consent,
  if(own_account != '', own_account, told.account_id) AS account, paid, orders, toUnixTimestamp64Milli(first_order) AS ordered_since, toUnixTimestamp64Milli(first_seen) AS seen_since,
  accounts_told.segment AS segment, accounts_told.plan AS plan, accounts_told.name AS account_name, mrr, mrr_currency
FROM (
  SELECT one.1 AS person, one.2 AS worst, one.3 AS hit_at, one.4 AS worst_journey, one.5 AS worst_step, one.6 AS worst_session, one.7 AS own_account
  FROM (SELECT arrayJoin(listed) AS one)
) AS hurt
LEFT JOIN (
  SELECT person_id, max(ts) AS spoke FROM feedback FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND person_id GLOBAL IN (SELECT arrayJoin(listed).1) GROUP BY person_id
) AS answers ON hurt.person = answers.person_id
LEFT JOIN (
  SELECT who, max(ts) AS spoke FROM (
    SELECT if(person_id != '', person_id, concat('user:', user_id)) AS who, ts FROM tickets FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND (person_id != '' OR user_id != '')
  ) WHERE who GLOBAL IN (SELECT arrayJoin(listed).1) GROUP BY who
) AS asked ON hurt.person = asked.who
LEFT JOIN (
  SELECT concat('user:', id) AS of_person, account_id, consent FROM told(people: account_id, consent) WHERE concat('user:', id) GLOBAL IN (SELECT arrayJoin(listed).1)
) AS told ON hurt.person = told.of_person
LEFT JOIN (
  SELECT person_id, argMaxIf(toString(consent), started, started >= {since:DateTime64(3)}) AS consent, min(started) AS first_seen FROM sessions FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {paid_since:DateTime64(3)} AND person_id GLOBAL IN (SELECT arrayJoin(listed).1) GROUP BY person_id
) AS visited ON hurt.person = visited.person_id
LEFT JOIN (
  SELECT person_id, sum(net) AS paid, count() AS orders, min(at) AS first_order FROM (
    SELECT id, person_id, ts AS at, toFloat64(amount - refunded) * if(currency = {currency:String}, 1, rate) AS net FROM orders FINAL
    WHERE tenant = {tenant:String} AND ts >= {paid_since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND probe = 0 AND status != 'cancelled'
      AND (currency = {currency:String} OR rate_currency = {currency:String}) AND person_id GLOBAL IN (SELECT arrayJoin(listed).1)
    ORDER BY order_key, refunded DESC, version DESC LIMIT 1 BY order_key
  ) AS bought INNER JOIN (SELECT one.1 AS person, one.3 AS ends FROM (SELECT arrayJoin(listed) AS one) AS each) AS mine ON person_id = mine.person
  WHERE at < ends AND at >= ends - toIntervalSecond({seconds:UInt32}) GROUP BY person_id
) AS paying ON hurt.person = paying.person_id
LEFT JOIN (
  SELECT id, name, segment, plan, mrr, currency AS mrr_currency FROM told(accounts: name, segment, plan, mrr)
) AS accounts_told ON if(own_account != '', own_account, told.account_id) = accounts_told.id
ORDER BY worst DESC, person
