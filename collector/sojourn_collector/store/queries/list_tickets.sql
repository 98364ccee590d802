-- Tickets opened in [since, until), newest first, from a place in the list on, as they stood at `until`; an empty parameter does not filter. Times of replies and solutions,
-- journey and worst walk are those of tickets_opened.sql. Where only walks or earlier tickets tell whether a ticket is meant, all of the window is looked through (`looked`).
WITH mine AS (
  SELECT source, id, ts, toUnixTimestamp64Milli(ts) AS opened, status, priority, topic, channel, first_reply_at, journey AS named, step AS at_step, account_id, session_id, run_ids, join, join_confidence, user_id,
    if(status NOT IN ('solved', 'closed') AND tickets.solved_at IS NOT NULL, greatest(tickets.reopens, 1), tickets.reopens) AS reopens,
    if(status IN ('solved', 'closed'), ifNull(tickets.solved_at, updated), NULL) AS solved_at,
    multiIf(person_id != '', person_id, user_id != '', concat('user:', user_id), email_sha256) AS who, person_id, concat(source, '/', id) AS key,
    ts >= {since:DateTime64(3)} AND (opened, key) < ({at:Int64}, {after:String})
      AND ({state:String} = '' OR ({state:String} = 'solved') = (ifNull(solved_at, toDateTime64('2200-01-01', 3)) <= {until:DateTime64(3)}))
      AND ({status:String} = '' OR status = {status:String}) AND ({priority:String} = '' OR priority = {priority:String}) AND ({topic:String} = '' OR topic = {topic:String})
      AND ({text:String} = '' OR positionCaseInsensitiveUTF8(topic, {text:String}) > 0) AND ({channel:String} = '' OR channel = {channel:String})
      AND ({feed:String} = '' OR source = {feed:String}) AND ({person:String} = '' OR who = {person:String}) AND ({session:String} = '' OR session_id = {session:String})
      AND ({account:String} = '' OR account_id = {account:String} OR (startsWith(who, 'user:') AND substring(who, 6) IN (
        SELECT id FROM told(people: account_id) WHERE {account:String} != '' AND account_id = {account:String})))
      AND ({link:String} = '' OR join = {link:String} OR ({link:String} = 'linked' AND session_id != ''))
      AND multiIf({reply:String} = '', true, {reply:String} = 'untold', source NOT IN {replying:Array(String)}, source NOT IN {replying:Array(String)}, false,
        ifNull(first_reply_at, toDateTime64('2200-01-01', 3)) <= {until:DateTime64(3)}, {reply:String} = 'replied',
        ifNull(solved_at, toDateTime64('2200-01-01', 3)) <= {until:DateTime64(3)}, {reply:String} = 'unanswered', {reply:String} = 'waiting')
      AND (NOT {unresolved:UInt8} OR (opened + {stale:Int64} <= toUnixTimestamp64Milli({until:DateTime64(3)}) AND (solved_at IS NULL OR toUnixTimestamp64Milli(assumeNotNull(solved_at)) > opened + {stale:Int64})))
      AND (NOT {reopened:UInt8} OR reopens > 0) AS fits
  FROM tickets FINAL
  WHERE tenant = {tenant:String} AND ts >= {known_since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND (fits OR {repeat:UInt8})
  ORDER BY ts DESC, key DESC LIMIT {looked:UInt64}
)
SELECT source, id, ts, opened, toString(status) AS status, toString(priority) AS priority, topic, toString(channel) AS channel, first_reply_at, solved_at, reopens, person_id, user_id, account_id,
  session_id, toString(join) AS join, join_confidence, of_journey, if(named != '', toString(at_step), worst_step) AS of_step, worst, key
FROM (
  SELECT *, if(named != '', toString(named), worst_journey) AS of_journey,
    count() OVER (PARTITION BY who, topic ORDER BY opened RANGE BETWEEN 604800000 PRECEDING AND 1 PRECEDING) AS earlier
  FROM mine LEFT JOIN (
    SELECT source AS of_source, id AS of_id, toString(argMax(journey, (severity, started))) AS worst_journey, toString(argMax(failure_step, (severity, started))) AS worst_step,
      max(toNullable(severity)) AS worst
    FROM (SELECT source, id, arrayJoin(run_ids) AS run_id FROM mine) AS linked
    INNER JOIN (
      SELECT run_id, journey, severity, failure_step, started FROM runs FINAL
      WHERE tenant = {tenant:String} AND traffic = 'real' AND run_id IN (SELECT arrayJoin(run_ids) FROM mine)
    ) AS walked ON linked.run_id = walked.run_id
    GROUP BY of_source, of_id
  ) AS theirs ON mine.source = theirs.of_source AND mine.id = theirs.of_id
  WHERE {journey:String} = '' OR if(named != '', toString(named), worst_journey) = {journey:String}
)
WHERE fits AND ({severity:Float32} <= 0 OR (session_id != '' AND worst >= {severity:Float32})) AND (NOT {repeat:UInt8} OR (who != '' AND earlier > 0))
ORDER BY opened DESC, key DESC LIMIT {most:UInt32}
