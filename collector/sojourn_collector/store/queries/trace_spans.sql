-- The spans of one trace, from the first on.
SELECT lower(hex(span_id)) AS span, lower(hex(parent_id)) AS parent, name, service, kind, ts, duration_ns, status, status_message, traffic, session_id, run_id,
  toString(journey) AS journey_id, attrs, events_ts, events_name, events_attrs
FROM spans WHERE tenant = {tenant:String} AND trace_id = toFixedString(unhex({trace:String}), 16)
ORDER BY ts, span LIMIT 2001
