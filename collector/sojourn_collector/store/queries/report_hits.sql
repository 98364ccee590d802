-- Every technical failure customers met, by step: who and when.
SELECT journey, step, groupArray(person_id) AS persons, groupArray(arrayMap(f -> toUnixTimestamp64Milli(f), failures)) AS times
FROM (
  SELECT journey, step, person_id, failures FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND hit AND run_started >= {since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
    AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
  ORDER BY run_started DESC LIMIT 200000
)
GROUP BY journey, step
