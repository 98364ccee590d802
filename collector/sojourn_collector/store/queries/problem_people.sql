-- Everyone who came to a step within [since, until], or came before and was hit there in it, both arms, with what they met there.
SELECT run_id, run_started, session_id, person_id, person_kind, account_id, device, sample_rate, cart_value, cart_currency,
  arrayMap(a -> toUnixTimestamp64Milli(a), arrivals) AS came, arrayMap(f -> toUnixTimestamp64Milli(f), failures) AS failed,
  slow, recovered, done, stopped, settled, severity, toUnixTimestamp64Milli(done_at) AS done_ms,
  failure_kind, failure_message, hit_trace_id, hit_span_id, hit_status, hit_method, hit_path
FROM steps FINAL
WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String}
  AND run_started >= {run_since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
  AND arrayExists(a -> a >= {since:DateTime64(3)} AND a <= {until:DateTime64(3)}, arrayConcat(arrivals, failures))
ORDER BY run_started, run_id LIMIT {most:UInt32}
