-- Sessions by their ids, of those that began in [since, until].
SELECT session_id, app, device, browser, traffic, started, ended, pages, errors FROM sessions FINAL
WHERE tenant = {tenant:String} AND session_id IN {sessions:Array(String)} AND started >= {since:DateTime64(3)} AND started <= {until:DateTime64(3)}
ORDER BY started DESC
