-- One line for each of these traces: its root, or else its first span, and what it belongs to.
SELECT lower(hex(trace_id)) AS trace, min(toUnixTimestamp64Nano(ts)) AS began, max(toUnixTimestamp64Nano(ts) + duration_ns) AS ended, count() AS spans, countIf(status = 2) AS errors,
  toString(argMin(name, (parent_id != '', ts))) AS root, toString(argMin(service, (parent_id != '', ts))) AS root_service, arraySort(groupUniqArray(20)(toString(service))) AS services,
  toString(anyIf(traffic, traffic != '')) AS of_traffic, toString(anyIf(journey, journey != '')) AS of_journey, anyIf(run_id, run_id != '') AS run, anyIf(session_id, session_id != '') AS session
FROM spans
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(6)} AND ts < {until:DateTime64(6)} AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
GROUP BY trace_id
