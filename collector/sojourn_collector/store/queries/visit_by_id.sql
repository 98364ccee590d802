-- One session.
SELECT * EXCEPT (tenant, version) FROM sessions FINAL WHERE tenant = {tenant:String} AND session_id = {session:String} LIMIT 1
