-- Answers and comments, newest first, from a place in the list on; an empty parameter does not filter. Facts of an account are what its feeds tell together.
-- With `once` only the answers that scores count, as in feedback_answers.sql and feedback_groups.sql: what of a person's is newer than the place hides what is older.
SELECT source, id, ts, toString(kind) AS kind, value, scale_min, scale_max, higher_is_better, satisfied, comment, toString(language) AS language, toString(language_by) AS language_by, title, url, author, survey_id, question_id, question,
  toString(channel) AS channel, toString(journey) AS journey, toString(step) AS step, account_id, session_id, person_id, run_ids, toString(join) AS join, join_confidence
FROM (
  SELECT * FROM (
    SELECT *, concat(source, '/', id) AS key, if(kind = 'rating', 'csat', toString(kind)) AS counted_as,
      ({verdict:String} = '' OR satisfied = ({verdict:String} = 'satisfied')) AND ({text:String} = '' OR positionCaseInsensitiveUTF8(concat(title, '\n', comment), {text:String}) > 0)
        AND (NOT {words:UInt8} OR comment != '' OR title != '') AND (toUnixTimestamp64Milli(ts), key) < ({at:Int64}, {after:String}) AS fits
    FROM feedback FINAL
    WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND if({once:String} = '', fits, value IS NOT NULL AND scale_min IS NOT NULL AND scale_max IS NOT NULL)
      AND ({any_scale:UInt8} OR (scale_min = {low:Float64} AND scale_max = {high:Float64} AND higher_is_better = {higher:UInt8}))
      AND ({kind:String} = '' OR kind = {kind:String} OR ({once:String} != '' AND counted_as = {kind:String})) AND ({feed:String} = '' OR source = {feed:String})
      AND (({survey:String} = '' AND {once:String} != 'question') OR survey_id = {survey:String}) AND (({question_id:String} = '' AND {once:String} != 'question') OR question_id = {question_id:String})
      AND ({channel:String} = '' OR channel = {channel:String})
      AND ({journey:String} = '' OR journey = {journey:String} OR arrayExists(r -> r IN (
        SELECT run_id FROM runs FINAL WHERE {journey:String} != '' AND tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String}
          AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)}), run_ids))
      AND ({language:String} = '' OR language = {language:String} OR ({once:String} = '' AND startsWith(language, concat({language:String}, '-'))) OR ({language:String} = 'unknown' AND language = ''))
      AND ({step:String} = '' OR step = {step:String}) AND ({link:String} = '' OR join = {link:String}) AND ({person:String} = '' OR person_id = {person:String})
      AND (({device:String} = '' AND {browser:String} = '' AND {release:String} = '') OR (session_id != '' AND session_id IN (
        SELECT session_id FROM sessions FINAL WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)}
          AND ({device:String} = '' OR device = {device:String}) AND ({browser:String} = '' OR browser = {browser:String}) AND ({release:String} = '' OR release = {release:String}))))
      AND (({plan:String} = '' AND {segment:String} = '' AND {lifecycle:String} = '' AND {account:String} = '')
        OR (account_id != '' AND account_id IN (
          SELECT id FROM told(accounts: plan, segment, lifecycle) WHERE ({plan:String} = '' OR plan = {plan:String}) AND ({segment:String} = '' OR segment = {segment:String})
            AND ({lifecycle:String} = '' OR lifecycle = {lifecycle:String}) AND ({account:String} = '' OR id = {account:String})))
        OR (account_id = '' AND startsWith(person_id, 'user:') AND substring(person_id, 6) IN (
          SELECT id FROM told(people: account_id) WHERE account_id != '' AND account_id IN (
            SELECT id FROM told(accounts: plan, segment, lifecycle) WHERE ({plan:String} = '' OR plan = {plan:String}) AND ({segment:String} = '' OR segment = {segment:String})
              AND ({lifecycle:String} = '' OR lifecycle = {lifecycle:String}) AND ({account:String} = '' OR id = {account:String})))))
    ORDER BY ts DESC, key DESC LIMIT {looked:UInt64}
  )
  ORDER BY ts DESC, id DESC
  LIMIT 1 BY if({once:String} = '', key, concat(counted_as, '\n', toString(scale_min), '\n', toString(scale_max), '\n', toString(higher_is_better), '\n',
    if({once:String} = 'question', concat(survey_id, '\n', question_id), ''), '\n', if(person_id != '', person_id, key)))
)
WHERE fits
ORDER BY ts DESC, key DESC LIMIT {most:UInt32}
