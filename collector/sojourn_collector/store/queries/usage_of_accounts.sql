-- What accounts used in [looked, until): how often since `since` and between `before` and then, by how many people on how many days, and when last.
-- The account is the event's, else that of its person.
SELECT if(account_id != '', account_id, whose) AS account, countIf(ts >= {since:DateTime64(3)}) AS times,
  countIf(ts >= {before:DateTime64(3)} AND ts < {since:DateTime64(3)}) AS times_before, max(ts) AS last,
  uniqExactIf(toDate(ts, {zone:String}), ts >= {since:DateTime64(3)}) AS days, uniqExactIf(user_id, user_id != '' AND ts >= {since:DateTime64(3)}) AS users
FROM (
  SELECT ts, user_id, account_id FROM usage FINAL WHERE tenant = {tenant:String} AND ts >= {looked:DateTime64(3)} AND ts < {until:DateTime64(3)}
) AS used
LEFT JOIN (
  SELECT id, argMax(people.account_id, version) AS whose FROM people FINAL WHERE tenant = {tenant:String} GROUP BY id
) AS told ON used.user_id = told.id
WHERE account IN {accounts:Array(String)}
GROUP BY account
