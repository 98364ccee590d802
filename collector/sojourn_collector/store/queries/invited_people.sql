-- Everyone a survey about a journey reached in [since, until), what they answered, and what is known of everyone alike as of when they were asked: the worst they had
-- met in the journey in the weeks before, how it had ended, their device, since when they come. Who was asked several times counts by the last time before their answer.
WITH walked AS (
  SELECT run_id, person_id, severity, end, device, started FROM runs FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND person_kind != 'visit'
    AND started >= {since:DateTime64(3)} - INTERVAL 7 DAY AND started < {until:DateTime64(3)}
), reached AS (
  SELECT person_id AS person, source AS of_source, survey_id AS survey, groupArray(ts) AS times FROM invitations FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND status != 'bounced' AND person_id != ''
    AND (journey = {journey:String} OR arrayExists(r -> r IN (SELECT run_id FROM walked), run_ids))
  GROUP BY person, of_source, survey ORDER BY person, of_source, survey LIMIT {most:UInt32}
), asked AS (
  SELECT person, of_source, survey, of_value, of_low, of_high, higher, of_satisfied, answers,
    arrayFilter(t -> answers > 0 AND t <= answered_at, times) AS before,
    multiIf(notEmpty(before), arrayMax(before), answers > 0, arrayMin(times), arrayMax(times)) AS asked_at
  FROM reached
  LEFT JOIN (
    SELECT person_id, source, survey_id, count() AS answers, max(ts) AS answered_at, argMax(value, ts) AS of_value, argMax(scale_min, ts) AS of_low,
      argMax(scale_max, ts) AS of_high, argMax(higher_is_better, ts) AS higher, argMax(tuple(satisfied), ts).1 AS of_satisfied
    FROM feedback FINAL
    WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND kind IN ('csat', 'rating') AND value IS NOT NULL
      AND scale_min IS NOT NULL AND person_id IN (SELECT person FROM reached)
    GROUP BY person_id, source, survey_id
  ) AS given ON reached.person = given.person_id AND reached.of_source = given.source AND reached.survey = given.survey_id
)
SELECT asked.person AS person, asked.of_source AS of_source, asked.survey AS survey, of_value AS value, of_low AS scale_min, of_high AS scale_max, higher,
  of_satisfied AS satisfied, answers > 0 AS has_answered,
  multiIf(runs = 0, 'not seen', worst >= 0.8, 'stopped or left', worst >= 0.5, 'hit, got through', worst > 0, 'slow', 'not hit') AS exposure,
  if(runs = 0, 'not seen', toString(last_end)) AS outcome, if(last_device = '', 'not known', last_device) AS of_device,
  multiIf(first_seen <= toDateTime64(0, 3), 'not known', first_seen < asked_at - INTERVAL 30 DAY, 'known for 30 days', 'newer') AS tenure, worst
FROM asked
LEFT JOIN (
  SELECT person, of_source, survey, count() AS runs, max(toFloat64(severity)) AS worst, argMax(end, started) AS last_end, argMax(toString(device), started) AS last_device
  FROM asked INNER JOIN walked ON asked.person = walked.person_id
  WHERE walked.started <= asked.asked_at
  GROUP BY person, of_source, survey
) AS met ON asked.person = met.person AND asked.of_source = met.of_source AND asked.survey = met.survey
LEFT JOIN (
  SELECT person_id, min(started) AS first_seen FROM sessions FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {since:DateTime64(3)} - INTERVAL 60 DAY AND started < {until:DateTime64(3)} AND person_id IN (SELECT person FROM reached)
  GROUP BY person_id
) AS seen ON asked.person = seen.person_id
