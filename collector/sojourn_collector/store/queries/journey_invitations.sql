-- How many were asked about a journey and reached, by feed and survey: of those who tried it, or invitations that name it.
SELECT source, survey_id, count() AS invited FROM invitations FINAL
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND status != 'bounced'
  AND (journey = {journey:String} OR arrayExists(r -> r IN (
    SELECT run_id FROM runs FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String}
      AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)}), run_ids))
GROUP BY source, survey_id
