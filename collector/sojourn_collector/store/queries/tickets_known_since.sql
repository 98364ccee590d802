-- When tickets that are kept were first received.
SELECT source, id, min(first_received) AS first_received FROM tickets
WHERE tenant = {tenant:String} AND (source, id) IN (SELECT arrayJoin(arrayZip({sources:Array(String)}, {keys:Array(String)})))
GROUP BY source, id
