-- Journeys in which a probe failed at a step, also where a later version of the run says otherwise.
SELECT DISTINCT journey FROM steps
WHERE tenant = {tenant:String} AND traffic = 'synthetic' AND outcome = 'failed' AND run_started >= {since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
  AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
