-- Accounts by id: those somebody told us of and those visits named, with what they did in a window; an empty parameter does not filter.
SELECT a.id AS id, name, plan, segment, owner, lifecycle, monthly, currency, renewal, told, v.visits AS visits, v.people AS people, v.last AS last_seen, r.most AS worst, r.hits AS people_hit, r.n AS reached
FROM (
  SELECT id, argMax(u.name, u.told) AS name, argMax(u.plan, u.told) AS plan, argMax(u.segment, u.told) AS segment, argMax(u.owner, u.told) AS owner,
    argMax(u.lifecycle, u.told) AS lifecycle, argMax(u.monthly, u.told) AS monthly, argMax(u.currency, u.told) AS currency, argMax(u.renewal, u.told) AS renewal,
    max(u.told) AS told
  FROM (
    SELECT id, 1 AS told, name, plan, segment, owner, lifecycle, mrr AS monthly, currency, toString(renewal_date) AS renewal
    FROM told(accounts: name, plan, segment, owner, lifecycle, mrr, renewal_date)
    UNION ALL
    SELECT DISTINCT account_id, 0, '', '', '', '', '', CAST(NULL AS Nullable(Float64)), '', CAST(NULL AS Nullable(String))
    FROM sessions FINAL WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)} AND account_id != ''
  ) AS u
  GROUP BY id
) AS a
LEFT JOIN (
  SELECT account_id, count() AS visits, uniqExact(person_id) AS people, max(started) AS last
  FROM sessions FINAL WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)} AND account_id != ''
  GROUP BY account_id
) AS v ON a.id = v.account_id
LEFT JOIN (
  SELECT account_id, count() AS n, max(severity) AS most, uniqExactIf(person_id, severity >= {hit:Float32}) AS hits
  FROM runs FINAL WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)} AND account_id != ''
  GROUP BY account_id
) AS r ON a.id = r.account_id
WHERE a.id > {after:String} AND worst >= {severity:Float32} AND ({plan:String} = '' OR plan = {plan:String}) AND ({segment:String} = '' OR segment = {segment:String})
  AND ({lifecycle:String} = '' OR lifecycle = {lifecycle:String}) AND ({owner:String} = '' OR owner = {owner:String})
  AND ({name:String} = '' OR positionCaseInsensitiveUTF8(name, {name:String}) > 0)
ORDER BY id LIMIT {most:UInt32}
