-- The real runs these sessions are known to have had, to withdraw those that a late signal has moved, and whether they were over.
SELECT run_id, traffic, journey, started, session_id, settled FROM runs FINAL
WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND traffic = 'real' AND session_id IN {sessions:Array(String)}
