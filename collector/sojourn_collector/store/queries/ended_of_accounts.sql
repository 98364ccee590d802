-- Subscriptions of accounts, or of their people, that ended in [since, until), the newest of each account first; when they ended as in subscriptions_ended.sql.
WITH members AS (
  SELECT id, account_id AS whose FROM told(people: account_id) WHERE account_id IN {accounts:Array(String)}
)
SELECT if(account_id != '', account_id, whose) AS account, count() AS ended, argMax((toString(reason), comment), (at, id)) AS newest
FROM (
  SELECT id, account_id, user_id, reason, comment, if(status = 'ended', ifNull(ended_at, received), NULL) AS at FROM subscriptions FINAL
  WHERE tenant = {tenant:String} AND status = 'ended' AND at >= {since:DateTime64(3)} AND at < {until:DateTime64(3)}
    AND (account_id IN {accounts:Array(String)} OR (account_id = '' AND user_id IN (SELECT id FROM members)))
) AS gone LEFT JOIN members ON gone.user_id = members.id
GROUP BY account
