-- Technical failures customers met, by step: who and when. Of each short stretch of time the first three persons and the last failure are enough to
-- tell when trouble begins and ends and whether three were hit; who was hit in all is asked for per problem. So no outage is too large to be seen whole.
SELECT journey, step, groupArray(person) AS persons, groupArray(times) AS times
FROM (
  SELECT journey, step, stretch, person, [began, max(ended) OVER (PARTITION BY journey, step, stretch)] AS times
  FROM (
    SELECT journey, step, intDiv(at, {stretch_ms:UInt64}) AS stretch, person_id AS person, min(at) AS began, max(at) AS ended
    FROM (
      SELECT journey, step, person_id, arrayJoin(arrayMap(f -> toUnixTimestamp64Milli(f), failures)) AS at FROM steps FINAL
      WHERE tenant = {tenant:String} AND traffic = 'real' AND hit AND run_started >= {since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
        AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
    ) WHERE at >= toUnixTimestamp64Milli({met_since:DateTime64(3)}) AND at <= toUnixTimestamp64Milli({met_until:DateTime64(3)})
    GROUP BY journey, step, stretch, person
  )
  ORDER BY journey, step, stretch, began, person LIMIT 3 BY journey, step, stretch
)
GROUP BY journey, step
