-- Subscriptions that ended in [since, until), newest first, each with the worst that its person, or anybody of its account, met in the `before` seconds before it ended;
-- `walks` = how many of their walks that is of. One that its feed calls ended and not when, ended at the latest when that was told.
WITH gone AS (
  SELECT concat(source, '/', id) AS key, if(status = 'ended', ifNull(ended_at, received), NULL) AS ended, toFloat64OrNull(toString(mrr)) AS monthly, toString(currency) AS currency,
    toString(plan) AS plan, toString(reason) AS reason, comment, user_id, account_id
  FROM subscriptions FINAL
  WHERE tenant = {tenant:String} AND status = 'ended' AND ended >= {since:DateTime64(3)} AND ended < {until:DateTime64(3)}
  ORDER BY ended DESC, key DESC LIMIT {most:UInt32}
), members AS (
  SELECT id, account_id AS whose FROM told(people: account_id) WHERE account_id != '' AND account_id IN (SELECT account_id FROM gone)
), walked AS (
  SELECT person_id, account_id AS at_account, started, severity FROM runs FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {since:DateTime64(3)} - toIntervalSecond({before:UInt32}) AND started < {until:DateTime64(3)}
    AND (person_id IN (SELECT concat('user:', user_id) FROM gone WHERE user_id != '') OR person_id IN (SELECT concat('user:', id) FROM members)
      OR (at_account != '' AND at_account IN (SELECT account_id FROM gone)))
)
SELECT gone.key AS key, ended, monthly, currency, plan, reason, comment, user_id, account_id, met.worst AS worst, met.walks AS walks
FROM gone LEFT JOIN (
  SELECT key, max(severity) AS worst, count() AS walks
  FROM (
    SELECT key, ended, started, severity FROM (SELECT key, ended, concat('user:', user_id) AS who FROM gone WHERE user_id != '') AS theirs INNER JOIN walked ON theirs.who = walked.person_id
    UNION ALL
    SELECT key, ended, started, severity FROM (
      SELECT gone.key AS key, gone.ended AS ended, concat('user:', members.id) AS who FROM gone INNER JOIN members ON gone.account_id = members.whose WHERE gone.account_id != ''
    ) AS theirs INNER JOIN walked ON theirs.who = walked.person_id
    UNION ALL
    SELECT key, ended, started, severity FROM (SELECT key, ended, account_id FROM gone WHERE account_id != '') AS theirs INNER JOIN walked ON theirs.account_id = walked.at_account
  )
  WHERE started < ended AND started >= ended - toIntervalSecond({before:UInt32})
  GROUP BY key
) AS met ON gone.key = met.key
ORDER BY ended DESC, key DESC
