-- What accounts used in [looked, until): how often since `since` and between `before` and then, by how many people on how many days, and when last.
-- The account is the event's, else that of its person. Versions as in usage_of_person.sql.
WITH members AS (
  SELECT id, account_id AS whose FROM told(people: account_id) WHERE account_id IN {accounts:Array(String)}
), used AS (
  SELECT argMax(ts, version) AS at, argMax(user_id, version) AS user, argMax(account_id, version) AS told FROM usage
  WHERE tenant = {tenant:String} AND ts >= {looked:DateTime64(3)} AND ts < {until:DateTime64(3)}
    AND (account_id IN {accounts:Array(String)} OR (account_id = '' AND user_id IN (SELECT id FROM members)))
  GROUP BY source, id HAVING argMax(deleted, version) = 0
)
SELECT if(told != '', told, whose) AS account, countIf(at >= {since:DateTime64(3)}) AS times,
  countIf(at >= {before:DateTime64(3)} AND at < {since:DateTime64(3)}) AS times_before, max(at) AS last,
  uniqExactIf(toDate(at, {zone:String}), at >= {since:DateTime64(3)}) AS days, uniqExactIf(user, user != '' AND at >= {since:DateTime64(3)}) AS users
FROM used LEFT JOIN members ON used.user = members.id
GROUP BY account
