-- Recurring revenue of subscriptions that ran within [since, until), of the people hit at some step of a journey then and of their accounts: by the account, else by the
-- person, as `subscribed_hit` does of one problem.
WITH hurt AS (
  SELECT DISTINCT person_id, account_id FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND hit AND person_kind != 'visit'
    AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)}
), theirs AS (
  SELECT account_id FROM hurt WHERE account_id != ''
  UNION DISTINCT
  SELECT account_id FROM told(people: account_id) WHERE account_id != '' AND concat('user:', id) IN (SELECT person_id FROM hurt)
)
SELECT if(account_id IN (SELECT account_id FROM theirs), account_id, concat('user:', user_id)) AS whose, currency, sum(toFloat64OrZero(toString(mrr))) AS monthly, count() AS subscriptions
FROM subscriptions FINAL
WHERE tenant = {tenant:String} AND mrr IS NOT NULL AND status IN ('active', 'past_due') AND ts < {until:DateTime64(3)}
  AND (ended_at IS NULL OR ended_at > {since:DateTime64(3)})
  AND (account_id IN (SELECT account_id FROM theirs) OR (user_id != '' AND concat('user:', user_id) IN (SELECT person_id FROM hurt)))
GROUP BY whose, currency LIMIT {most:UInt32}
