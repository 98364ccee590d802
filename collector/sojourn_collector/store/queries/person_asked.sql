-- When one person was asked: by invitations that reached them, and by their answers.
SELECT toUnixTimestamp64Milli(ts) AS at, told FROM (
  SELECT ts, 1 AS told FROM invitations FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND status != 'bounced' AND (person_id = {person:String} OR concat('user:', user_id) = {person:String})
  UNION ALL
  SELECT ts, 0 FROM feedback FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND kind IN ('csat', 'nps', 'ces', 'rating') AND (person_id = {person:String} OR concat('user:', user_id) = {person:String})
) ORDER BY at LIMIT 1000
