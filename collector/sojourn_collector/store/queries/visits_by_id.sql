-- Sessions by their ids.
SELECT session_id, app, device, browser, traffic, started, ended, pages, errors FROM sessions FINAL
WHERE tenant = {tenant:String} AND session_id IN {sessions:Array(String)} ORDER BY started DESC
