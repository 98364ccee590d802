-- One answer by its id in its source; of several sources the newest.
SELECT source, id, ts, toString(kind) AS kind, value, scale_min, scale_max, higher_is_better, satisfied, comment, toString(language) AS language, toString(language_by) AS language_by, title, url, author, survey_id, question_id, question,
  toString(channel) AS channel, toString(journey) AS journey, toString(step) AS step, user_id, email_sha256, account_id, order_id, ticket_id, trace_id, given_session_id,
  session_id, person_id, run_ids, toString(join) AS join, join_confidence
FROM feedback FINAL WHERE tenant = {tenant:String} AND id = {id:String} AND ({feed:String} = '' OR source = {feed:String}) ORDER BY ts DESC LIMIT 1
