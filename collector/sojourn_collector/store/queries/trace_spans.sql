-- The spans of one trace, from the first on. Only the days it is known to have been there are looked at.
WITH (SELECT (min(first), max(last)) FROM trace_times WHERE tenant = {tenant:String} AND trace_id = toFixedString(unhex({trace:String}), 16)) AS there
SELECT lower(hex(span_id)) AS span, lower(hex(parent_id)) AS parent, name, service, kind, ts, duration_ns, status, status_message, traffic, session_id, run_id,
  toString(journey) AS journey_id, attrs, events_ts, events_name, events_attrs
FROM spans
WHERE tenant = {tenant:String} AND ts >= there.1 AND ts <= there.2 AND trace_id = toFixedString(unhex({trace:String}), 16)
ORDER BY ts, span LIMIT 2001
