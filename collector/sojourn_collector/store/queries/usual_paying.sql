-- Of every `one_in`-th person who came to a step on a local day of [since, until) and was not hit there on it: how many came, how many of them ordered within H
-- of their first coming, and how many got the journey done.
WITH came AS (
  SELECT person_id, toDate(run_started, {zone:String}) AS day, min(toUnixTimestamp64Milli(arrivals[1])) AS first,
    max(run_id IN (
      SELECT run_id FROM runs FINAL WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND end = 'finished'
        AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)} AND sipHash64(person_id) % {one_in:UInt64} = 0)) AS finished
  FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String} AND settled
    AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)} AND sipHash64(person_id) % {one_in:UInt64} = 0
    AND notEmpty(arrivals) AND arrivals[1] < {until:DateTime64(3)}
  GROUP BY person_id, day HAVING NOT max(hit)
),
paid AS (
  SELECT who, groupArray(at) AS times FROM (
    SELECT if(person_id != '', person_id, concat('visit:', session_id)) AS who, toUnixTimestamp64Milli(ts) AS at FROM orders FINAL
    WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)} + toIntervalMillisecond({outcome_ms:Int64})
      AND probe = 0 AND status != 'cancelled' AND (currency = {currency:String} OR rate_currency = {currency:String}) AND sipHash64(who) % {one_in:UInt64} = 0
    ORDER BY order_key, refunded DESC, version DESC LIMIT 1 BY order_key
  ) GROUP BY who
)
SELECT count() AS units, countIf(arrayExists(at -> at > came.first AND at <= came.first + {outcome_ms:Int64}, times)) AS ordered, countIf(came.finished) AS finished
FROM came LEFT JOIN paid ON paid.who = came.person_id
