-- The steps of a run, every attempt.
SELECT step, name, number, attempt, outcome, started, duration_ms, failure_kind, failure_message, reached, hit, done, severity, hit_trace_id, lcp_ms, load_ms
FROM steps FINAL
WHERE tenant = {tenant:String} AND traffic = {traffic:String} AND journey = {journey:String} AND run_started = {started:DateTime64(3)} AND run_id = {run:String}
ORDER BY attempt, number, started LIMIT 2000
