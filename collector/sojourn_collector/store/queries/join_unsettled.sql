-- Real runs still being tried: their sessions, when the first of them began and the last was last seen.
SELECT session_id, min(started) AS began, max(ended) AS last_seen FROM runs FINAL
WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND traffic = 'real' AND settled = 0
GROUP BY session_id
