-- Who came to each step since a moment, by minute: everybody once an hour until their first failure there, and once at it. Of those hit how badly, by class; who only found it slow is not hit.
SELECT journey, step, toUnixTimestamp(toStartOfMinute(one.1)) AS at, count() AS people, countIf(one.2 = 1) AS hit, countIf(one.2 = 1 AND known) AS persons,
  sumIf(worst, one.2 = 1) AS w_severity, 0 AS w_slow, countIf(one.2 = 1 AND worst <= 0.7) AS w_recovered, countIf(one.2 = 1 AND worst > 0.7 AND worst <= 0.9) AS w_left,
  countIf(one.2 = 1 AND worst > 0.9) AS w_blocked
FROM (
  SELECT journey, step, known, worst, arrayJoin(arrayConcat(
      arrayMap(hour -> (arrayMin(arrayFilter(a -> toStartOfHour(a) = hour, came)), 0), arrayFilter(hour -> empty(failed) OR hour < toStartOfHour(failed[1]), arrayDistinct(arrayMap(a -> toStartOfHour(a), came)))),
      arrayMap(f -> (f, 1), arraySlice(failed, 1, 1)))) AS one
  FROM (
    SELECT journey, step, person_id, any(person_kind != 'visit') AS known, maxIf(toFloat64(severity), hit) AS worst,
      arrayFilter(a -> a >= {since:DateTime64(3)}, groupArrayArray(arrivals)) AS came,
      arraySort(arrayFilter(f -> f >= {since:DateTime64(3)}, groupArrayArray(if(hit, failures, [])))) AS failed
    FROM steps FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND run_started >= {run_since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
    GROUP BY journey, step, person_id
  )
)
GROUP BY journey, step, at ORDER BY journey, step, at LIMIT {most:UInt32}
