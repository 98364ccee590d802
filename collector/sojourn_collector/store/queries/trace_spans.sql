-- The spans of one trace, from the first on. Only the time it is known to have been there is looked at. Its bounds are DateTime64 as `ts` is:
-- compared with a DateTime, chDB 26.9 leaves out parts whose rows lie within the bound's last second.
WITH (
  SELECT (toDateTime64(min(first), 9), toDateTime64(max(last), 9) + INTERVAL 1 SECOND) FROM trace_times
  WHERE tenant = {tenant:String} AND trace = reinterpretAsUInt64(substring(unhex({trace:String}), 9))) AS there
SELECT lower(hex(span_id)) AS span, lower(hex(parent_id)) AS parent, name, service, kind, ts, duration_ns, status, status_message, traffic, session_id, run_id,
  toString(journey) AS journey_id, attrs, events_ts, events_name, events_attrs
FROM spans
WHERE tenant = {tenant:String} AND ts >= there.1 AND ts < there.2 AND trace_id = toFixedString(unhex({trace:String}), 16)
ORDER BY ts, span LIMIT 2001
