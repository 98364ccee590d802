-- Runs of either traffic, newest first, from a place in the list on; an empty parameter does not filter.
SELECT run_id, toString(traffic) AS of_traffic, toString(journey) AS of_journey, started, ended, settled, toString(outcome) AS outcome, toString(end) AS end, severity, flaky, attempts,
  toString(failure_kind) AS failure_kind, toString(failure_step) AS failure_step, failure_message, toString(location) AS location, session_id, person_id, account_id,
  toString(app) AS app, toString(device) AS device, toString(browser) AS browser, toString(release) AS release, trace_ids[1] AS trace
FROM runs FINAL
WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
  AND (toUnixTimestamp64Milli(started), run_id) < ({at:Int64}, {after:String})
  AND ({journey:String} = '' OR journey = {journey:String}) AND ({traffic:String} = '' OR traffic = {traffic:String})
  AND ({outcome:String} = '' OR outcome = {outcome:String}) AND ({end:String} = '' OR end = {end:String})
  AND severity >= {severity:Float32}
  AND ({step:String} = '' OR failure_step = {step:String}) AND ({failure_kind:String} = '' OR failure_kind = {failure_kind:String})
  AND ({came_to:String} = '' OR run_id IN (
    SELECT run_id FROM steps FINAL WHERE {came_to:String} != '' AND tenant = {tenant:String} AND ({journey:String} = '' OR journey = {journey:String}) AND step = {came_to:String}
      AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)}
      AND multiIf({there:String} = 'done', done, {there:String} = 'hit', hit, {there:String} = 'slow', slow, {there:String} = 'stopped', stopped, 1)))
  AND ({location:String} = '' OR location = {location:String}) AND ({session:String} = '' OR session_id = {session:String})
  AND ({person:String} = '' OR person_id = {person:String}) AND ({account:String} = '' OR account_id = {account:String})
  AND ({release:String} = '' OR release = {release:String})
ORDER BY started DESC, run_id DESC LIMIT {most:UInt32}
