-- People by their visits in a window, the one who came last first, with the worst that happened to them in it; an empty parameter does not filter.
SELECT v.person_id AS person, kind, account, visits, first_seen, last_seen, all_pages AS pages, all_errors AS errors, r.most AS worst, r.n AS runs, r.hits AS runs_hit
FROM (
  SELECT person_id, toString(any(person_kind)) AS kind, argMax(account_id, (account_id != '', started)) AS account, count() AS visits, min(started) AS first_seen,
    max(started) AS last_seen, sum(pages) AS all_pages, sum(errors) AS all_errors
  FROM sessions FINAL
  WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)} AND person_id != ''
    AND ({traffic:String} = '' OR traffic = {traffic:String}) AND ({account:String} = '' OR account_id = {account:String})
    AND ({app:String} = '' OR app = {app:String}) AND ({kind:String} = '' OR person_kind = {kind:String})
  GROUP BY person_id
  HAVING (toUnixTimestamp64Milli(last_seen), person_id) < ({at:Int64}, {after:String})
) AS v
LEFT JOIN (
  SELECT person_id, max(severity) AS most, count() AS n, countIf(severity >= {hit:Float32}) AS hits
  FROM runs FINAL
  WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)} AND person_id != ''
    AND ({traffic:String} = '' OR traffic = {traffic:String}) AND ({journey:String} = '' OR journey = {journey:String})
  GROUP BY person_id
) AS r ON v.person_id = r.person_id
WHERE worst >= {severity:Float32} AND ({journey:String} = '' OR runs > 0)
ORDER BY last_seen DESC, person DESC LIMIT {most:UInt32}
