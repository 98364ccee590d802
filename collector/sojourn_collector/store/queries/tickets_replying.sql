-- Sources that have ever told when a ticket was first replied to.
SELECT DISTINCT toString(source) AS source FROM tickets FINAL WHERE tenant = {tenant:String} AND first_reply_at IS NOT NULL LIMIT 1000
