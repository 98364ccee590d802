-- Everyone badly hit whose first such run began in [since, until): their worst run, when they last spoke since (an answer, a ticket), consent, and what they were
-- worth in the time before they were hit.
WITH hurt AS (
  SELECT person_id AS person, max(severity) AS worst, min(started) AS hit_at, argMax(journey, (severity, started)) AS worst_journey,
    argMax(failure_step, (severity, started)) AS worst_step, argMax(session_id, (severity, started)) AS worst_session, max(account_id) AS own_account
  FROM runs FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND settled AND severity >= {severity:Float32} AND person_kind != 'visit'
    AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)} AND ({journey:String} = '' OR journey = {journey:String})
  GROUP BY person ORDER BY hit_at, person LIMIT {most:UInt32}
)
SELECT hurt.person AS person, worst, toUnixTimestamp64Milli(hit_at) AS hit_ms, worst_journey, worst_step, worst_session,
  greatest(toUnixTimestamp64Milli(answers.spoke), toUnixTimestamp64Milli(asked.spoke)) AS spoke_ms, told.consent AS told_consent, visited.consent AS seen_consent,
  if(own_account != '', own_account, told.account_id) AS account, paid, orders, accounts_told.segment AS segment, accounts_told.plan AS plan, accounts_told.name AS account_name, mrr, mrr_currency
FROM hurt
LEFT JOIN (SELECT person_id, max(ts) AS spoke FROM feedback FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND person_id IN (SELECT person FROM hurt) GROUP BY person_id) AS answers
  ON hurt.person = answers.person_id
LEFT JOIN (
  SELECT who, max(ts) AS spoke FROM (
    SELECT if(person_id != '', person_id, concat('user:', user_id)) AS who, ts FROM tickets FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND (person_id != '' OR user_id != '')
  ) WHERE who IN (SELECT person FROM hurt) GROUP BY who
) AS asked ON hurt.person = asked.who
LEFT JOIN (
  SELECT concat('user:', id) AS of_person, account_id, consent FROM told(people: account_id, consent) WHERE concat('user:', id) IN (SELECT person FROM hurt)
) AS told ON hurt.person = told.of_person
LEFT JOIN (
  SELECT person_id, argMax(toString(consent), started) AS consent FROM sessions FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {since:DateTime64(3)} AND person_id IN (SELECT person FROM hurt) GROUP BY person_id
) AS visited ON hurt.person = visited.person_id
LEFT JOIN (
  SELECT person_id, sum(net) AS paid, count() AS orders FROM (
    SELECT id, person_id, toFloat64(amount - refunded) * if(currency = {currency:String}, 1, rate) AS net FROM orders FINAL
    WHERE tenant = {tenant:String} AND ts >= {paid_since:DateTime64(3)} AND ts < {since:DateTime64(3)} AND probe = 0 AND status != 'cancelled'
      AND (currency = {currency:String} OR rate_currency = {currency:String}) AND person_id IN (SELECT person FROM hurt)
    ORDER BY order_key, refunded DESC, version DESC LIMIT 1 BY order_key
  ) GROUP BY person_id
) AS paying ON hurt.person = paying.person_id
LEFT JOIN (
  SELECT id, name, segment, plan, mrr, currency AS mrr_currency FROM told(accounts: name, segment, plan, mrr)
) AS accounts_told ON if(own_account != '', own_account, told.account_id) = accounts_told.id
ORDER BY worst DESC, person
