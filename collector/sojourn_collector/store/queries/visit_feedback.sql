-- Feedback of these sessions, or of one person.
SELECT source, id, ts, kind, value, scale_min, scale_max, higher_is_better, satisfied, comment, journey, session_id, person_id, join
FROM feedback FINAL
WHERE tenant = {tenant:String} AND ((session_id != '' AND session_id IN {sessions:Array(String)}) OR (person_id != '' AND person_id = {person:String}))
ORDER BY ts LIMIT 500
