-- Who was newly hit at a step in [since, until]: people and visits without identity whose first failure there since `begin` lies in it, as alarm_minutes.sql counts them; newest
-- first, from a place in the list on.
SELECT person, toString(of_kind) AS kind, failed[1] AS at_first, worst, place.1 AS session_id, place.2 AS run_id, account
FROM (
  SELECT person_id AS person, any(person_kind) AS of_kind, maxIf(toFloat64(severity), hit) AS worst, argMinIf((session_id, run_id), failures[1], hit AND notEmpty(failures)) AS place,
    argMax(account_id, (account_id != '', run_started)) AS account, arraySort(arrayFilter(f -> f >= {begin:DateTime64(3)}, groupArrayArray(if(hit, failures, [])))) AS failed
  FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String}
    AND run_started >= {run_since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
  GROUP BY person_id
)
WHERE notEmpty(failed) AND failed[1] >= {since:DateTime64(3)} AND (toUnixTimestamp64Milli(failed[1]), person) < ({at:Int64}, {after:String})
ORDER BY at_first DESC, person DESC LIMIT {most:UInt32}
