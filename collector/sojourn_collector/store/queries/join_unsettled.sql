-- Real runs still being tried: their sessions and when they were last seen.
SELECT session_id, max(ended) AS ended, min(started) AS started FROM runs FINAL
WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND traffic = 'real' AND settled = 0
GROUP BY session_id
