-- What is usual at each step, by hour of the day and apart for Saturday and Sunday: people who came and of them hit in each hour of [since, until).
SELECT journey, step, toHour(toTimeZone(t, {zone:String})) AS hour, toDayOfWeek(toTimeZone(t, {zone:String})) > 5 AS weekend,
  groupArray((came, hurt)) AS hours, min(t) AS oldest
FROM (
  SELECT journey, step, t, sum(people) + sum(anonymous_units) AS came, least(came, sum(people_hit) + sum(toUInt64(anonymous_w_recovered + anonymous_w_left + anonymous_w_blocked))) AS hurt
  FROM step_sums FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND every = 'hour' AND t >= {since:DateTime('UTC')} AND t < {until:DateTime('UTC')}
  GROUP BY journey, step, t HAVING came > 0
)
GROUP BY journey, step, hour, weekend ORDER BY journey, step, hour, weekend LIMIT {most:UInt32}
