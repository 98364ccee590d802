-- How many were asked about a journey and reached, by feed and survey: of those who tried it, or invitations that name it.
SELECT source, survey_id, count() AS invited FROM invitations FINAL
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)} AND status != 'bounced'
  AND (journey = {journey:String} OR hasAny(run_ids, (
    SELECT groupArray(run_id) FROM runs FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String}
      AND started >= {since:DateTime64(3)} - INTERVAL 1 DAY AND started <= {until:DateTime64(3)})))
GROUP BY source, survey_id
