-- How many a survey reached in [since, until), by one fact that invitations know themselves or that is told of who was invited, and how many records of answers it has: whole ones, and apart those
-- of people who left it before its end. About a journey are those that name it and those that are linked to a walk through it.
-- A fact of people and accounts is looked up for who was invited and for who answered alike, by what is told of them and not by a visit, which an invitation by mail has none of. `nobody` = of how many
-- no person and no account is known, of which nothing can be told.
WITH mine AS (
  SELECT run_id FROM runs FINAL
  WHERE {journey:String} != '' AND tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String}
    AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)}
)
SELECT fact, survey, sum(asked) AS invited, sum(whole) AS answered, sum(begun) AS partial, sum(asked AND nobody) AS invited_nobody, sum(whole AND nobody) AS answered_nobody FROM (
  SELECT survey, asked, whole, begun, account = '' AND NOT startsWith(person, 'user:') AS nobody,
    multiIf({by:String} = 'survey', survey, {by:String} = 'channel', by_channel, {by:String} = 'source', by_source, {by:String} = 'day', toString(day), {by:String} = 'week', toString(toMonday(day)),
      {by:String} = 'month', toString(toStartOfMonth(day)), {by:String} = 'journey', if({journey:String} != '', {journey:String}, by_journey),
      {by:String} = 'plan', told.of_plan, {by:String} = 'segment', told.of_segment, {by:String} = 'lifecycle', told.of_lifecycle, {by:String} = 'owner', told.of_owner, {by:String} = 'role', who.of_role,
      {of:String} = 'person', who.of_attr, {of:String} = 'account', told.of_attr, {attr:String} != '', if(who.of_attr != '', who.of_attr, told.of_attr), '') AS fact
  FROM (
    SELECT toString(survey_id) AS survey, toString(channel) AS by_channel, toString(source) AS by_source, toDate(ts, {zone:String}) AS day, toString(journey) AS by_journey,
      if(person_id = '' AND user_id != '', concat('user:', user_id), person_id) AS person, account_id AS account, 1 AS asked, 0 AS whole, 0 AS begun
    FROM invitations FINAL
    WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND status != 'bounced' AND ({journey:String} = '' OR journey = {journey:String} OR arrayExists(r -> r IN (SELECT run_id FROM mine), run_ids))
    UNION ALL
    SELECT toString(survey_id) AS survey, toString(channel) AS by_channel, toString(source) AS by_source, toDate(ts, {zone:String}) AS day, toString(journey) AS by_journey,
      if(person_id = '' AND user_id != '', concat('user:', user_id), person_id) AS person, account_id AS account, 0 AS asked, NOT f.partial AS whole, f.partial AS begun
    FROM feedback AS f FINAL
    WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND value IS NOT NULL AND kind != 'mention' AND ({journey:String} = '' OR journey = {journey:String} OR arrayExists(r -> r IN (SELECT run_id FROM mine), run_ids))
  ) AS said
  LEFT JOIN (
    SELECT id AS of_person, account_id AS of_account, role AS of_role, attr AS of_attr FROM told(people: account_id, role, attr)
    WHERE {by:String} IN ('plan', 'segment', 'lifecycle', 'owner', 'role') OR {attr:String} != ''
  ) AS who ON said.person = concat('user:', who.of_person)
  LEFT JOIN (
    SELECT id AS of_id, plan AS of_plan, segment AS of_segment, lifecycle AS of_lifecycle, owner AS of_owner, attr AS of_attr FROM told(accounts: plan, segment, lifecycle, owner, attr)
    WHERE {by:String} IN ('plan', 'segment', 'lifecycle', 'owner') OR {attr:String} != ''
  ) AS told ON if(said.account != '', said.account, who.of_account) = told.of_id
) GROUP BY fact, survey
