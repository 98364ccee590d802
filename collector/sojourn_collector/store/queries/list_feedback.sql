-- Answers and comments, newest first, from a place in the list on; an empty parameter does not filter. Facts of an account are what its feeds tell together.
SELECT source, id, ts, toString(kind) AS kind, value, scale_min, scale_max, higher_is_better, satisfied, comment, toString(language) AS language, toString(language_by) AS language_by, title, url, author, survey_id, question_id, question,
  toString(channel) AS channel, toString(journey) AS journey, toString(step) AS step, account_id, session_id, person_id, run_ids, toString(join) AS join, join_confidence
FROM feedback FINAL
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)}
  AND (toUnixTimestamp64Milli(ts), concat(source, '/', id)) < ({at:Int64}, {after:String})
  AND ({kind:String} = '' OR kind = {kind:String}) AND ({feed:String} = '' OR source = {feed:String}) AND ({survey:String} = '' OR survey_id = {survey:String})
  AND ({question_id:String} = '' OR question_id = {question_id:String}) AND ({channel:String} = '' OR channel = {channel:String})
  AND ({journey:String} = '' OR journey = {journey:String} OR arrayExists(r -> r IN (
    SELECT run_id FROM runs FINAL WHERE {journey:String} != '' AND tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String}
      AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)}), run_ids))
  AND ({language:String} = '' OR language = {language:String} OR startsWith(language, concat({language:String}, '-')) OR ({language:String} = 'unknown' AND language = ''))
  AND ({step:String} = '' OR step = {step:String}) AND ({link:String} = '' OR join = {link:String})
  AND ({verdict:String} = '' OR satisfied = ({verdict:String} = 'satisfied')) AND ({person:String} = '' OR person_id = {person:String})
  AND ({text:String} = '' OR positionCaseInsensitiveUTF8(concat(title, '\n', comment), {text:String}) > 0) AND (NOT {words:UInt8} OR comment != '' OR title != '')
  AND (({plan:String} = '' AND {segment:String} = '' AND {lifecycle:String} = '' AND {account:String} = '')
    OR (account_id != '' AND account_id IN (
      SELECT id FROM told(accounts: plan, segment, lifecycle) WHERE ({plan:String} = '' OR plan = {plan:String}) AND ({segment:String} = '' OR segment = {segment:String})
        AND ({lifecycle:String} = '' OR lifecycle = {lifecycle:String}) AND ({account:String} = '' OR id = {account:String})))
    OR (startsWith(person_id, 'user:') AND substring(person_id, 6) IN (
      SELECT id FROM told(people: account_id) WHERE account_id != '' AND account_id IN (
        SELECT id FROM told(accounts: plan, segment, lifecycle) WHERE ({plan:String} = '' OR plan = {plan:String}) AND ({segment:String} = '' OR segment = {segment:String})
          AND ({lifecycle:String} = '' OR lifecycle = {lifecycle:String}) AND ({account:String} = '' OR id = {account:String})))))
ORDER BY ts DESC, concat(source, '/', id) DESC LIMIT {most:UInt32}
