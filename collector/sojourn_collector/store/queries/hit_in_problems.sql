-- How many people, and apart from them visits without identity, were hit in some stretches of trouble (milliseconds), each at its own step, and in none of those that are told.
-- Stretches at one step do not overlap: the last one that had begun when somebody was hit is theirs.
SELECT countIf(NOT nobody) AS people, countIf(nobody) AS visits
FROM (
  SELECT person_id, any(kind = 'visit') AS nobody
  FROM (
    SELECT journey, step, person_id, person_kind AS kind, toUnixTimestamp64Milli(arrayJoin(failures)) AS at FROM steps FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND hit AND journey IN {journeys:Array(String)}
      AND run_started >= {since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
  ) AS met
  ASOF INNER JOIN (
    SELECT one.1 AS of_journey, one.2 AS of_step, one.3 AS begun, one.4 AS ended, one.5 AS is_told FROM (
      SELECT arrayJoin(arrayZip({journeys:Array(String)}, {steps:Array(String)}, {begins:Array(Int64)}, {ends:Array(Int64)}, {told:Array(UInt8)})) AS one
    )
  ) AS trouble ON met.journey = trouble.of_journey AND met.step = trouble.of_step AND met.at >= trouble.begun
  WHERE at <= ended
  GROUP BY person_id HAVING max(is_told) = 0
)
