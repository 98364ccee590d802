-- Sessions by their ids, for links.
SELECT session_id, person_id, person_kind, account_id, traffic, started, ended FROM sessions FINAL
WHERE tenant = {tenant:String} AND session_id IN {sessions:Array(String)}
