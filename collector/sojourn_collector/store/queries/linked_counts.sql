-- How many answers, mentions, tickets and orders of [since, until) are linked to a visit, and how.
SELECT if(kind = 'mention', 'mentions', 'feedback') AS what, toString(source) AS source, toString(survey_id) AS survey, countIf(join = 'explicit') AS explicit, countIf(join = 'inferred') AS inferred, count() AS records
FROM feedback FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} GROUP BY what, source, survey
UNION ALL
SELECT 'tickets', toString(source), '', countIf(join = 'explicit'), countIf(join = 'inferred'), count()
FROM tickets FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} GROUP BY source
UNION ALL
SELECT 'orders', toString(source), '', countIf(join = 'explicit'), countIf(join = 'inferred'), count()
FROM orders FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND probe = 0 GROUP BY source
