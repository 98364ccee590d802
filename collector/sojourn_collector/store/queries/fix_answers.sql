-- How often each mark was given by local day and arm: each person's newest of a day on a scale. An answer belongs to the journey it names, else to those its
-- visit walked; one of the treated journey counts there alone. `hit_before`: the person met a failure in a journey of that arm within so many days before the
-- day of the answer. It is asked alike on either side of the fix: a failure on the day itself belongs to what is judged.
WITH told AS (
  SELECT source, id, ts, value, scale_min, scale_max, higher_is_better, satisfied, journey, person_id, run_ids
  FROM feedback FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND kind IN ('csat', 'rating')
    AND value IS NOT NULL AND scale_min IS NOT NULL AND scale_max IS NOT NULL
), walked AS (
  SELECT run_id, journey FROM runs FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND (journey = {journey:String} OR has({untouched:Array(String)}, journey))
    AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)}
    AND run_id IN (SELECT arrayJoin(run_ids) FROM told WHERE journey = '')
), placed AS (
  SELECT source, id, max(journey = {journey:String}) AS treated FROM (
    SELECT source, id, journey FROM told WHERE journey != ''
    UNION ALL
    SELECT linked.source AS source, linked.id AS id, walked.journey AS journey
    FROM (SELECT source, id, arrayJoin(run_ids) AS run_id FROM told WHERE journey = '') AS linked INNER JOIN walked ON linked.run_id = walked.run_id
  )
  WHERE journey = {journey:String} OR has({untouched:Array(String)}, journey)
  GROUP BY source, id
), hurt AS (
  SELECT journey = {journey:String} AS in_treated, person_id AS who, groupUniqArray(toUnixTimestamp64Milli(started)) AS hits FROM runs FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND (journey = {journey:String} OR has({untouched:Array(String)}, journey))
    AND started >= {since:DateTime64(3)} - toIntervalDay({days:UInt16}) AND started < {until:DateTime64(3)} AND severity >= {severity:Float32}
    AND person_kind != 'visit' AND person_id IN (SELECT person_id FROM told WHERE person_id != '')
  GROUP BY in_treated, who
)
SELECT day, treated, scale_min, scale_max, higher_is_better, given.1 AS value, given.2 AS satisfied, hit_before, count() AS n
FROM (
  SELECT toUInt32(toDate(told.ts, {zone:String})) AS day, placed.treated AS treated, scale_min, scale_max, higher_is_better,
    argMax((told.value, told.satisfied), (told.ts, told.id)) AS given, max(arrayExists(at -> at < began AND at >= began - 86400000 * {days:UInt16}, hurt.hits)) AS hit_before
  FROM (SELECT *, toInt64(toUnixTimestamp(toStartOfDay(ts, {zone:String}))) * 1000 AS began FROM told) AS told
  INNER JOIN placed ON told.source = placed.source AND told.id = placed.id
  LEFT JOIN hurt ON placed.treated = hurt.in_treated AND told.person_id = hurt.who
  GROUP BY day, treated, scale_min, scale_max, higher_is_better, if(told.person_id != '', told.person_id, concat(told.source, '/', told.id))
)
GROUP BY day, treated, scale_min, scale_max, higher_is_better, value, satisfied, hit_before ORDER BY day, treated
