-- On how many days of [since, until) people were asked, and how many were asked again too soon: by invitations where a feed tells of them, else by their answers.
SELECT count() AS people, countIf(closest < {rest_days:Float64}) AS too_often, max(length(days)) AS most
FROM (
  SELECT person, days, arrayMin(arrayPushBack(arrayMap((one, before) -> toFloat64(one - before), arrayPopFront(days), arrayPopBack(days)), 1e9)) AS closest
  FROM (
    SELECT person, arraySort(if(empty(invited), answered, invited)) AS days FROM (
      SELECT person, groupUniqArrayIf(toUInt32(day), told) AS invited, groupUniqArrayIf(toUInt32(day), NOT told) AS answered FROM (
        SELECT person_id AS person, toDate(ts, {zone:String}) AS day, 1 AS told FROM invitations FINAL
        WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND status != 'bounced' AND person_id != '' AND NOT startsWith(person_id, 'visit:')
        UNION ALL
        SELECT person_id, toDate(ts, {zone:String}), 0 FROM feedback FINAL
        WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND kind IN ('csat', 'nps', 'ces', 'rating') AND person_id != ''
          AND NOT startsWith(person_id, 'visit:')
      ) GROUP BY person
    )
  )
)
