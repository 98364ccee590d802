-- What every probe run met at every step, on the last attempt that says something: per location the failures, and of the passes only when they ended and
-- began, in the order of their ends. Of failures that end in the same short stretch of time the first and the last to end and the first to begin stand for all,
-- each with how many it stands for: an outage has a hundred thousand, and all are alike. A run measured on a starved host says nothing.
-- Most steps are tried once: which attempts another followed is asked of every version of those tried again, since no attempt is ever taken back.
SELECT journey, step, location, arrayFlatten(groupArray(few)) AS failures, arraySort(arrayFlatten(groupArray(passed))) AS passes,
  passes.1 AS pass_ends, passes.2 AS pass_begins
FROM (
  SELECT journey, step, location, if(outcome = 'failed', intDiv(over, {stretch_ms:UInt64}), -1) AS stretch,
    if(stretch < 0, [], arraySort(groupArray((over, run_id, began)))) AS by_end, length(by_end) AS n, arrayMin(f -> (f.3, f.2, f.1), by_end) AS earliest,
    if(n <= 3, by_end, arrayDistinct([by_end[1], (earliest.3, earliest.2, earliest.1), by_end[-1]])) AS kept,
    arrayMap((f, i) -> (f.2, f.3, f.1, toUInt64(if(i = length(kept), n - length(kept) + 1, 1))), kept, arrayEnumerate(kept)) AS few,
    groupArrayIf((over, began), stretch < 0) AS passed
  FROM (
    SELECT journey, step, run_id, location, outcome, toUnixTimestamp64Milli(started) AS began, greatest(began, toUnixTimestamp64Milli(last_seen)) AS over
    FROM steps FINAL
    WHERE tenant = {tenant:String} AND traffic = 'synthetic' AND run_started >= {since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
      AND journey IN {journeys:Array(String)} AND outcome IN ('passed', 'degraded', 'failed')
      AND (journey, step, run_id, attempt) NOT IN (
        SELECT journey, step, run_id, toUInt8(arrayJoin(range(1, toUInt32(max(attempt))))) FROM steps
        WHERE tenant = {tenant:String} AND traffic = 'synthetic' AND run_started >= {since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
          AND journey IN {journeys:Array(String)} AND attempt > 1
        GROUP BY journey, step, run_id)
      AND run_id NOT IN (
        SELECT run_id FROM runs FINAL
        WHERE tenant = {tenant:String} AND traffic = 'synthetic' AND started >= {since:DateTime64(3)} AND started <= {until:DateTime64(3)}
          AND journey IN {journeys:Array(String)} AND runs.outcome = 'inconclusive')
  ) GROUP BY journey, step, location, stretch
) GROUP BY journey, step, location
