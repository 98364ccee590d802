-- Accounts by id: those somebody told us of and those visits named, with what they did in a window; an empty parameter does not filter.
SELECT a.id AS id, name, plan, segment, owner, lifecycle, monthly, currency, renewal, told, v.visits AS visits, v.people AS people, v.last AS last_seen, r.most AS worst, r.hits AS people_hit, r.n AS reached
FROM (
  SELECT id, argMax(u.name, u.version) AS name, argMax(u.plan, u.version) AS plan, argMax(u.segment, u.version) AS segment, argMax(u.owner, u.version) AS owner,
    argMax(u.lifecycle, u.version) AS lifecycle, argMax(u.monthly, u.version) AS monthly, argMax(u.currency, u.version) AS currency, argMax(u.renewal, u.version) AS renewal,
    max(u.told) AS told
  FROM (
    SELECT id, version, name, toString(plan) AS plan, toString(segment) AS segment, owner, toString(lifecycle) AS lifecycle, toFloat64OrNull(toString(mrr)) AS monthly,
      toString(currency) AS currency, toString(renewal_date) AS renewal, 1 AS told
    FROM accounts FINAL WHERE tenant = {tenant:String}
    UNION ALL
    SELECT DISTINCT account_id, toUInt64(0), '', '', '', '', '', CAST(NULL AS Nullable(Float64)), '', CAST(NULL AS Nullable(String)), 0
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
