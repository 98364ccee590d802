-- The newest visits of a person; an anonymous visit is its own person.
SELECT session_id, person_kind, user_id, account_id, app, device, browser, traffic, started, ended, pages, errors FROM sessions FINAL
WHERE tenant = {tenant:String} AND person_id = {person:String} ORDER BY started DESC LIMIT 200
