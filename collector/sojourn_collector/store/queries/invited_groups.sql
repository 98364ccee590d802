-- How many a survey reached in [since, until), by one fact that invitations know themselves, and how many records of answers it has: whole ones, and apart those of
-- people who left it before its end. About a journey are those that name it and those that are linked to a walk through it.
WITH mine AS (
  SELECT run_id FROM runs FINAL
  WHERE {journey:String} != '' AND tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String}
    AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)}
)
SELECT fact, survey, sum(asked) AS invited, sum(given) AS answered, sum(begun) AS partial FROM (
  SELECT multiIf({by:String} = 'survey', toString(survey_id), {by:String} = 'channel', toString(channel), {by:String} = 'source', toString(source),
    {by:String} = 'day', toString(toDate(ts, {zone:String})), {by:String} = 'week', toString(toMonday(toDate(ts, {zone:String}))), {by:String} = 'journey', if({journey:String} != '', {journey:String}, toString(journey)), '') AS fact,
    toString(survey_id) AS survey, count() AS asked, 0 AS given, 0 AS begun
  FROM invitations FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND status != 'bounced' AND ({journey:String} = '' OR journey = {journey:String} OR arrayExists(r -> r IN (SELECT run_id FROM mine), run_ids))
  GROUP BY fact, survey
  UNION ALL
  SELECT multiIf({by:String} = 'survey', toString(survey_id), {by:String} = 'channel', toString(channel), {by:String} = 'source', toString(source),
    {by:String} = 'day', toString(toDate(ts, {zone:String})), {by:String} = 'week', toString(toMonday(toDate(ts, {zone:String}))), {by:String} = 'journey', if({journey:String} != '', {journey:String}, toString(journey)), '') AS fact,
    toString(survey_id) AS survey, 0 AS asked, countIf(NOT f.partial) AS given, countIf(f.partial) AS begun
  FROM feedback AS f FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND value IS NOT NULL AND kind != 'mention' AND ({journey:String} = '' OR journey = {journey:String} OR arrayExists(r -> r IN (SELECT run_id FROM mine), run_ids))
  GROUP BY fact, survey
) GROUP BY fact, survey
