-- Tickets opened in [since, until) with who asked, the worst of the linked visit's walks before, and the journey that was. A ticket that names its journey keeps it.
WITH mine AS (
  SELECT source, id, ts, status, priority, topic, channel, first_reply_at, journey AS named,
    -- One that was solved and waits again was opened again, whether its source counts that or not.
    if(status NOT IN ('solved', 'closed') AND tickets.solved_at IS NOT NULL, greatest(tickets.reopens, 1), tickets.reopens) AS reopens,
    -- Of a source that says solved and not when, it was so by the time of the last change.
    if(status IN ('solved', 'closed'), ifNull(tickets.solved_at, updated), NULL) AS solved_at, session_id, run_ids, account_id,
    multiIf(person_id != '', person_id, user_id != '', concat('user:', user_id), email_sha256) AS who, person_id
  FROM tickets FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)}
  ORDER BY ts DESC LIMIT {most:UInt32}
)
SELECT source, id, toUnixTimestamp64Milli(ts) AS opened, status, priority, topic, channel, toUnixTimestamp64Milli(first_reply_at) AS replied, toUnixTimestamp64Milli(solved_at) AS solved,
  reopens, who, person_id, account_id, session_id, if(named != '', named, worst_journey) AS of_journey, worst, worst_step
FROM mine LEFT JOIN (
  SELECT source AS of_source, id AS of_id, argMax(journey, (severity, started)) AS worst_journey, argMax(failure_step, (severity, started)) AS worst_step, max(toNullable(severity)) AS worst
  FROM (SELECT source, id, ts, arrayJoin(run_ids) AS run_id FROM mine) AS linked
  INNER JOIN (
    SELECT run_id, journey, severity, failure_step, started FROM runs FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND run_id IN (SELECT arrayJoin(run_ids) FROM mine)
  ) AS walked ON linked.run_id = walked.run_id
  GROUP BY of_source, of_id
) AS theirs ON mine.source = theirs.of_source AND mine.id = theirs.of_id
ORDER BY opened DESC
