-- Real runs of these sessions, for links.
SELECT run_id, session_id, journey, started, ended FROM runs FINAL
WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND traffic = 'real' AND session_id IN {sessions:Array(String)}
ORDER BY started
