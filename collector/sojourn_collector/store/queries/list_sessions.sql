-- Visits, newest first, from a place in the list on; an empty parameter does not filter.
SELECT session_id, toString(traffic) AS traffic, started, ended, person_id, toString(person_kind) AS person_kind, account_id, toString(app) AS app, toString(device) AS device,
  toString(browser) AS browser, toString(release) AS release, toString(consent) AS consent, pages, errors, length(order_ids) AS orders
FROM sessions FINAL
WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
  AND (toUnixTimestamp64Milli(started), session_id) < ({at:Int64}, {after:String})
  AND ({traffic:String} = '' OR traffic = {traffic:String}) AND ({person:String} = '' OR person_id = {person:String})
  AND ({account:String} = '' OR account_id = {account:String}) AND ({app:String} = '' OR app = {app:String})
  AND ({device:String} = '' OR device = {device:String}) AND ({browser:String} = '' OR browser = {browser:String})
  AND ({release:String} = '' OR release = {release:String}) AND errors >= {errors:UInt32}
ORDER BY started DESC, session_id DESC LIMIT {most:UInt32}
