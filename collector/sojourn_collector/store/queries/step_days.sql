-- The same clock window of this day and of days before, each from its own start in {starts} (milliseconds, this day's first): who came to a step in it, was hit,
-- ordered within H of their first coming and paid. `day` = place in {starts}, 0 = this day.
-- `inside` = of the segment {attribute} = {value} (device, browser, release, app, a fact of the visit; all are inside where attribute is empty). Orders count up to
-- the same time of each day: {known_ms} after its start.
WITH came AS (
  SELECT place - 1 AS day, {starts:Array(Int64)}[place] AS start, person_id, min(at) AS first, max(hit) AS hurt, max(of_segment) AS inside
  FROM (
    SELECT person_id, at, hit, arrayFirstIndex(s -> at >= s AND at <= s + {span_ms:Int64}, {starts:Array(Int64)}) AS place,
      multiIf({attribute:String} = '', 1, {attribute:String} = 'device', device = {value:String},
        session_id IN (SELECT session_id FROM sessions FINAL WHERE tenant = {tenant:String}
          AND started >= {earliest:DateTime64(3)} - toIntervalDay(1) AND started <= {until:DateTime64(3)}
          AND multiIf({attribute:String} = 'browser', browser, {attribute:String} = 'release', release, {attribute:String} = 'app', app, facts[{attribute:String}]) = {value:String})) AS of_segment
    FROM (
      SELECT person_id, session_id, device, hit, toUnixTimestamp64Milli(arrayJoin(arrivals)) AS at FROM steps FINAL
      WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String}
        AND run_started >= {earliest:DateTime64(3)} - toIntervalDay(1) AND run_started <= {until:DateTime64(3)}
    )
    WHERE place > 0
  )
  GROUP BY place, person_id
),
paid AS (
  SELECT if(person_id != '', person_id, concat('visit:', session_id)) AS who, toUnixTimestamp64Milli(ts) AS at, toFloat64(amount - refunded) * if(currency = {currency:String}, 1, rate) AS net
  FROM orders FINAL
  WHERE tenant = {tenant:String} AND ts >= {earliest:DateTime64(3)} AND ts <= {known:DateTime64(3)}
    AND probe = 0 AND status != 'cancelled' AND (currency = {currency:String} OR rate_currency = {currency:String})
  ORDER BY order_key, refunded DESC, version DESC LIMIT 1 BY order_key
)
SELECT day, inside, count() AS people, countIf(hurt) AS hit, sum(n) AS orders, sum(m) AS money
FROM (
  SELECT day, inside, hurt, came.person_id AS person, countIf(counted) AS n, sumIf(net, counted) AS m
  FROM (
    SELECT came.day AS day, came.inside AS inside, came.hurt AS hurt, came.person_id AS person_id, paid.net AS net,
      paid.who != '' AND paid.at > came.first AND paid.at <= came.first + {outcome_ms:Int64}
        AND paid.at - came.start <= {known_ms:Int64} AS counted
    FROM came LEFT JOIN paid ON paid.who = came.person_id
  ) AS came
  GROUP BY day, inside, hurt, person
)
GROUP BY day, inside ORDER BY day, inside
