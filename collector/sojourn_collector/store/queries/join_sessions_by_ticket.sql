-- The session a ticket was linked to explicitly; answers may come long after it was opened.
SELECT id AS key, argMax(session_id, version) AS session_id FROM tickets FINAL
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} - INTERVAL 400 DAY AND id IN {tickets:Array(String)} AND join = 'explicit' GROUP BY key
