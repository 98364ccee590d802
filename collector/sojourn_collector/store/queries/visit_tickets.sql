-- Tickets of these sessions, or of one person.
SELECT source, id, ts, status, priority, topic, channel, first_reply_at, reopens,
  -- Of a source that says solved and not when, it was so by the time of the last change.
  if(status IN ('solved', 'closed'), ifNull(tickets.solved_at, updated), NULL) AS solved_at, session_id, person_id, trace_id, join
FROM tickets FINAL
WHERE tenant = {tenant:String} AND ((session_id != '' AND session_id IN {sessions:Array(String)}) OR (person_id != '' AND person_id = {person:String}))
ORDER BY ts LIMIT 500
