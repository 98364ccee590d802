-- Traces a backend failed in, of whose failure or entries something came with the journal files (after, until]: what comes late may show that it was tried again.
WITH
  (SELECT toDate(min(ts)) FROM spans WHERE tenant = {tenant:String} AND seq > {after:UInt64} AND seq <= {until:UInt64} AND span_type = '' AND (kind = 2 OR status = 2)) AS since
SELECT lower(hex(trace)) AS id, min(first) AS began, max(last) AS ended FROM failed_traces
WHERE tenant = {tenant:String} AND day + 1 >= since AND trace IN (
  SELECT trace_id FROM spans
  WHERE tenant = {tenant:String} AND seq > {after:UInt64} AND seq <= {until:UInt64} AND span_type = '' AND run_id = '' AND (kind = 2 OR status = 2))
GROUP BY trace ORDER BY began, id
