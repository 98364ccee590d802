-- Synthetic runs with spans in the journal files (after, until], and the earliest time touched in each.
SELECT run_id, min(ts) AS first FROM spans
WHERE tenant = {tenant:String} AND seq > {after:UInt64} AND seq <= {until:UInt64}
  AND run_id != '' AND traffic = 'synthetic' AND span_type IN ('run', 'step')
GROUP BY run_id ORDER BY first, run_id
