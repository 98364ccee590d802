-- How often each answer was given in [since, until), by one fact: each person's newest of a kind on a scale to one question; of an unknown person each counts.
-- About a journey are those that name it and those that are linked to a walk through it; journey and step are then those of that walk.
WITH mine AS (
  SELECT run_id FROM runs FINAL
  WHERE {journey:String} != '' AND tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String}
    AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)}
)
SELECT fact, toString(survey_id) AS survey, question_id, any(asked_as) AS question, kind, scale_min, scale_max, higher_is_better, answer.1 AS value, answer.2 AS satisfied, count() AS n
FROM (
  SELECT fact, survey_id, question_id, anyLast(question) AS asked_as, if(kind = 'rating', 'csat', toString(kind)) AS kind, scale_min, scale_max, higher_is_better,
    argMax((value, satisfied), (ts, id)) AS answer
  FROM (
    SELECT f.*, multiIf({by:String} = 'survey', survey_id, {by:String} = 'question', if(question != '', question, question_id), {by:String} = 'channel', toString(channel),
      {by:String} = 'source', toString(source), {by:String} = 'language', toString(language), {by:String} = 'day', toString(toDate(ts, {zone:String})),
      {by:String} = 'week', toString(toMonday(toDate(ts, {zone:String}))), {by:String} = 'journey', multiIf({journey:String} != '', {journey:String}, f.journey != '', toString(f.journey), walked.of_journey),
      {by:String} = 'step', if(f.step != '', toString(f.step), walked.of_step), {by:String} = 'device', seen.of_device, {by:String} = 'browser', seen.of_browser,
      {by:String} = 'release', seen.of_release, {by:String} = 'plan', told.of_plan, {by:String} = 'segment', told.of_segment, {by:String} = 'lifecycle', told.of_lifecycle, '') AS fact
    FROM (SELECT *, if({journey:String} = '', run_ids[-1], arrayLast(r -> r IN (SELECT run_id FROM mine), run_ids)) AS of_run FROM feedback FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)}
      AND value IS NOT NULL AND scale_min IS NOT NULL AND scale_max IS NOT NULL AND ({journey:String} = '' OR journey = {journey:String} OR arrayExists(r -> r IN (SELECT run_id FROM mine), run_ids))) AS f
    LEFT JOIN (
      SELECT run_id, toString(journey) AS of_journey, toString(failure_step) AS of_step FROM runs FINAL
      WHERE tenant = {tenant:String} AND {by:String} IN ('journey', 'step') AND traffic = 'real' AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)}
    ) AS walked ON f.of_run = walked.run_id
    LEFT JOIN (
      SELECT session_id AS of_session, toString(device) AS of_device, toString(browser) AS of_browser, toString(release) AS of_release FROM sessions FINAL
      WHERE tenant = {tenant:String} AND {by:String} IN ('device', 'browser', 'release') AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)}
    ) AS seen ON f.session_id = seen.of_session
    LEFT JOIN (
      SELECT id AS of_person, account_id AS of_account FROM told(people: account_id) WHERE {by:String} IN ('plan', 'segment', 'lifecycle')
        AND concat('user:', id) IN (SELECT person_id FROM feedback WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)})
    ) AS who ON f.person_id = concat('user:', who.of_person)
    LEFT JOIN (
      SELECT id AS account, plan AS of_plan, segment AS of_segment, lifecycle AS of_lifecycle FROM told(accounts: plan, segment, lifecycle)
      WHERE {by:String} IN ('plan', 'segment', 'lifecycle')
    ) AS told ON if(f.account_id != '', f.account_id, who.of_account) = told.account
  )
  GROUP BY fact, survey_id, question_id, kind, scale_min, scale_max, higher_is_better, if(person_id != '', person_id, concat(source, '/', id))
)
GROUP BY fact, survey_id, question_id, kind, scale_min, scale_max, higher_is_better, value, satisfied
LIMIT 100000
