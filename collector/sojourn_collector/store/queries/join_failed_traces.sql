-- Which of these traces a backend failed in, and when.
SELECT lower(hex(trace)) AS id, min(first) AS began, max(last) AS ended FROM failed_traces
WHERE tenant = {tenant:String} AND day >= toDate({since:DateTime64(3)}) - 1
  AND trace IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
GROUP BY trace
