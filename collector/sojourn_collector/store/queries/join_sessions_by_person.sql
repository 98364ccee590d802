-- Real sessions of these persons, for inferred links.
SELECT session_id, person_id, person_kind, account_id, traffic, started, ended FROM sessions FINAL
WHERE tenant = {tenant:String} AND ended >= {since:DateTime64(3)} AND started >= {since:DateTime64(3)} - INTERVAL 7 DAY AND traffic = 'real' AND person_id IN {persons:Array(String)}
ORDER BY started
