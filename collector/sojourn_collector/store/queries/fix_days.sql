-- Walks that are over, by local day, arm (the treated journey, or untouched ones) and device: how many, how many finished, how many met no failure.
SELECT toUInt32(toDate(started, {zone:String})) AS day, journey = {journey:String} AS treated, toString(device) AS stratum,
  count() AS tries, countIf(end = 'finished') AS finished, countIf(severity < {severity:Float32}) AS unhurt
FROM runs FINAL
WHERE tenant = {tenant:String} AND traffic = 'real' AND settled AND (journey = {journey:String} OR has({untouched:Array(String)}, journey))
  AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
GROUP BY day, treated, stratum ORDER BY day, treated, stratum
