-- Invitations that reached somebody, and answers, by week, the first day of each.
SELECT toString(week) AS week, sum(asked) AS invited, sum(given) AS answered FROM (
  SELECT toMonday(toDate(ts, {zone:String})) AS week, 1 AS asked, 0 AS given FROM invitations FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND status != 'bounced'
  UNION ALL
  SELECT toMonday(toDate(ts, {zone:String})), 0, 1 FROM feedback FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND kind IN ('csat', 'nps', 'ces', 'rating')
    AND survey_id IN (SELECT survey_id FROM invitations FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)})
) GROUP BY week ORDER BY week
