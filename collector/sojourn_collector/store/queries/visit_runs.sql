-- Real runs of these sessions.
SELECT * EXCEPT (tenant, version, deleted) FROM runs FINAL
WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND session_id IN {sessions:Array(String)} ORDER BY started LIMIT 500
