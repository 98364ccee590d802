-- How often each answer was given in [since, until), by one fact: each person's newest of a kind on a scale to one question; of an unknown person each counts.
-- About a journey are those that name it and those that are linked to a walk through it; journey and step are then those of that walk.
-- The facts of people, accounts and visits are those of breakdown_units, its words and parameters too: `attr` is an attribute of the person, else of the account, else of the visit, `of` asks for one
-- of the three alone, `wider` is the fact of a visit that stands in where `fact` is not known. failure_kind is that of the worst that the linked walks had met before the answer.
-- With `over` the newest of each day, week or month, of the groups (facts[i], surveys[i]) alone.
WITH mine AS (
  SELECT run_id FROM runs FINAL
  WHERE {journey:String} != '' AND tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String}
    AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)}
)
SELECT fact, period, toString(survey_id) AS survey, question_id, any(asked_as) AS question, kind, scale_min, scale_max, higher_is_better, answer.1 AS value, answer.2 AS satisfied, count() AS n
FROM (
  SELECT fact, period, survey_id, question_id, anyLast(question) AS asked_as, if(kind = 'rating', 'csat', toString(kind)) AS kind, scale_min, scale_max, higher_is_better,
    argMax((value, satisfied), (ts, id)) AS answer
  FROM (
    SELECT f.*, multiIf({over:String} = 'day', toString(toDate(ts, {zone:String})), {over:String} = 'week', toString(toMonday(toDate(ts, {zone:String}))),
        {over:String} = 'month', toString(toStartOfMonth(toDate(ts, {zone:String}))), '') AS period,
      multiIf({by:String} = 'survey', survey_id, {by:String} = 'question', if(question != '', question, question_id), {by:String} = 'channel', toString(channel),
      {by:String} = 'source', toString(source), {by:String} = 'language', toString(language), {by:String} = 'day', toString(toDate(ts, {zone:String})),
      {by:String} = 'week', toString(toMonday(toDate(ts, {zone:String}))), {by:String} = 'month', toString(toStartOfMonth(toDate(ts, {zone:String}))),
      {by:String} = 'journey', multiIf({journey:String} != '', {journey:String}, f.journey != '', toString(f.journey), walked.of_journey),
      {by:String} = 'step', if(f.step != '', toString(f.step), walked.of_step), {by:String} = 'device', seen.of_device, {by:String} = 'browser', seen.of_browser,
      {by:String} = 'release', seen.of_release, {by:String} = 'app', seen.of_app, {by:String} = 'plan', told.of_plan, {by:String} = 'segment', told.of_segment,
      {by:String} = 'lifecycle', told.of_lifecycle, {by:String} = 'owner', told.of_owner, {by:String} = 'role', who.of_role,
      {by:String} = 'failure_kind', multiIf(failed.of_kind != '', failed.of_kind, notEmpty(f.run_ids), 'none seen', ''),
      {by:String} IN ('country', 'region', 'location', 'network'), multiIf(
        seen.of_fact != '' AND ({by:String} != 'region' OR position(seen.of_fact, '-') > 0), seen.of_fact, who.of_attr != '', who.of_attr, told.of_attr != '', told.of_attr, seen.of_fact),
      {of:String} = 'person', who.of_attr, {of:String} = 'account', told.of_attr, {of:String} = 'visit', seen.of_fact,
      {attr:String} != '', multiIf(who.of_attr != '', who.of_attr, told.of_attr != '', told.of_attr, seen.of_fact), '') AS fact
    FROM (SELECT *, if({journey:String} = '', run_ids[-1], arrayLast(r -> r IN (SELECT run_id FROM mine), run_ids)) AS of_run FROM feedback FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)}
      AND value IS NOT NULL AND scale_min IS NOT NULL AND scale_max IS NOT NULL AND ({journey:String} = '' OR journey = {journey:String} OR arrayExists(r -> r IN (SELECT run_id FROM mine), run_ids))) AS f
    LEFT JOIN (
      SELECT run_id, toString(journey) AS of_journey, toString(failure_step) AS of_step FROM runs FINAL
      WHERE tenant = {tenant:String} AND {by:String} IN ('journey', 'step') AND traffic = 'real' AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)}
    ) AS walked ON f.of_run = walked.run_id
    LEFT JOIN (
      SELECT session_id AS of_session, toString(device) AS of_device, toString(browser) AS of_browser, toString(release) AS of_release, toString(app) AS of_app,
        if(facts[{fact:String}] != '', facts[{fact:String}], facts[{wider:String}]) AS of_fact
      FROM sessions FINAL
      WHERE tenant = {tenant:String} AND ({by:String} IN ('device', 'browser', 'release', 'app') OR {fact:String} != '')
        AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)}
    ) AS seen ON f.session_id = seen.of_session
    LEFT JOIN (
      SELECT source AS of_source, id AS of_id, argMax(step_kind, (severity, -number, -step_started)) AS of_kind
      FROM (
        SELECT source, id, ts, arrayJoin(run_ids) AS walk FROM feedback FINAL
        WHERE tenant = {tenant:String} AND {by:String} = 'failure_kind' AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND value IS NOT NULL
      ) AS answers
      INNER JOIN (
        SELECT run_id, toFloat64(severity) AS severity, toInt32(number) AS number, hit, failures, started, toUnixTimestamp64Milli(started) AS step_started,
          multiIf(NOT hit, 'slow', failure_kind != '', toString(failure_kind), 'not known') AS step_kind
        FROM steps FINAL
        WHERE tenant = {tenant:String} AND {by:String} = 'failure_kind' AND traffic = 'real' AND reached AND severity > 0 AND ({journey:String} = '' OR journey = {journey:String})
          AND run_started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND run_started < {until:DateTime64(3)}
      ) AS met ON answers.walk = met.run_id
      WHERE if(notEmpty(failures), arrayMin(failures), started) <= ts
      GROUP BY source, id
    ) AS failed ON f.source = failed.of_source AND f.id = failed.of_id
    LEFT JOIN (
      SELECT id AS of_person, account_id AS of_account, role AS of_role, attr AS of_attr FROM told(people: account_id, role, attr)
      WHERE ({by:String} IN ('plan', 'segment', 'lifecycle', 'owner', 'role') OR {attr:String} != '')
        AND concat('user:', id) IN (SELECT person_id FROM feedback WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)})
    ) AS who ON f.person_id = concat('user:', who.of_person)
    LEFT JOIN (
      SELECT id AS account, plan AS of_plan, segment AS of_segment, lifecycle AS of_lifecycle, owner AS of_owner, attr AS of_attr FROM told(accounts: plan, segment, lifecycle, owner, attr)
      WHERE {by:String} IN ('plan', 'segment', 'lifecycle', 'owner') OR {attr:String} != ''
    ) AS told ON if(f.account_id != '', f.account_id, who.of_account) = told.account
  )
  WHERE {over:String} = '' OR has(arrayZip({facts:Array(String)}, {surveys:Array(String)}), (fact, toString(survey_id)))
  GROUP BY fact, period, survey_id, question_id, kind, scale_min, scale_max, higher_is_better, if(person_id != '', person_id, concat(source, '/', id))
)
GROUP BY fact, period, survey_id, question_id, kind, scale_min, scale_max, higher_is_better, value, satisfied
LIMIT 100000
