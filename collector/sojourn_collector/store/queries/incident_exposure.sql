-- Who was hit in a journey within each of some stretches of time (milliseconds): how many, and the sum of everyone's worst mark there, with how many are of each class. Numbers count from 1.
SELECT number, count() AS people, sum(worst) AS marks,
  countIf(worst > 0 AND worst <= 0.4) AS n_slow, countIf(worst > 0.4 AND worst <= 0.7) AS n_recovered,
  countIf(worst > 0.7 AND worst <= 0.9) AS n_left, countIf(worst > 0.9) AS n_blocked
FROM (
  SELECT number, person_id, max(toFloat64(severity)) AS worst FROM (
    SELECT person_id, severity, arrayJoin(arrayFilter(
      n -> arrayExists(f -> toUnixTimestamp64Milli(f) >= {sinces:Array(Int64)}[n] AND toUnixTimestamp64Milli(f) <= {untils:Array(Int64)}[n], failures),
      arrayEnumerate({sinces:Array(Int64)}))) AS number
    FROM steps FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND hit
      AND run_started >= {since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
  )
  GROUP BY number, person_id
)
GROUP BY number ORDER BY number
