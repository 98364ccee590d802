-- What of [since, until) is linked to no visit, by source, survey and what it had to go by: of answers, mentions, tickets and orders.
SELECT what, source, survey, cause, count() AS records, max(at) AS newest FROM (
  SELECT what, source, survey, at, multiIf(
    what = 'mentions' AND given = '' AND trace = '' AND order_key = '' AND ticket_key = '' AND user = '' AND email = '', 'said_in_public',
    given != '', 'session_unknown',
    trace != '' OR order_key != '' OR ticket_key != '', 'key_unknown',
    user != '' AND user IN (SELECT user_id FROM sessions FINAL WHERE tenant = {tenant:String} AND user_id != ''), 'no_visit_near',
    user != '', 'person_unseen',
    email != '', 'address_unknown',
    'no_key') AS cause
  FROM (
    SELECT if(kind = 'mention', 'mentions', 'feedback') AS what, toString(source) AS source, toString(survey_id) AS survey, ts AS at, given_session_id AS given, trace_id AS trace, order_id AS order_key,
      ticket_id AS ticket_key, user_id AS user, email_sha256 AS email
    FROM feedback FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND join = 'unlinked'
    UNION ALL
    SELECT 'tickets', toString(source), '', ts, given_session_id, trace_id, order_id, '', user_id, email_sha256
    FROM tickets FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND join = 'unlinked'
    UNION ALL
    SELECT 'orders', toString(source), '', ts, given_session_id, trace_id, '', '', user_id, email_sha256
    FROM orders FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND join = 'unlinked' AND probe = 0
  )
)
GROUP BY what, source, survey, cause ORDER BY what, records DESC LIMIT 500
