-- Of journeys that are not in trouble the first and the last passes at every step and location: when each ended and began, in the order of their ends.
SELECT journey, step, location, CAST([], 'Array(Tuple(String, Int64, Int64))') AS failures,
  arrayMap(p -> p.1, arraySort(arrayDistinct(arrayConcat(firsts, lasts)))) AS pass_ends, arrayMap(p -> p.2, arraySort(arrayDistinct(arrayConcat(firsts, lasts)))) AS pass_begins
FROM (
  SELECT journey, step, location, groupArraySorted(3)((over, began)) AS firsts, arrayMap(p -> (-p.1, -p.2), groupArraySorted(3)((-over, -began))) AS lasts
  FROM (
    SELECT journey, step, location, toUnixTimestamp64Milli(started) AS began, greatest(toUnixTimestamp64Milli(started), toUnixTimestamp64Milli(last_seen)) AS over
    FROM steps FINAL
    WHERE tenant = {tenant:String} AND traffic = 'synthetic' AND outcome IN ('passed', 'degraded') AND run_started >= {since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
      AND run_id NOT IN (
        SELECT run_id FROM runs FINAL
        WHERE tenant = {tenant:String} AND traffic = 'synthetic' AND started >= {since:DateTime64(3)} AND started <= {until:DateTime64(3)} AND runs.outcome = 'inconclusive')
      AND journey NOT IN {without:Array(String)} AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
  ) GROUP BY journey, step, location
)
