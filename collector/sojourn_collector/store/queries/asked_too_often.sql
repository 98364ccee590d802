-- Who was asked again sooner than `rest_days` after they had been in [since, until), most often first: on how many days, how many of these too soon, the closest two, the last time, and by which
-- surveys; by invitations where a feed tells of them, else by their answers, as asked_people counts.
SELECT person, length(days) AS times, arrayCount(gap -> gap < {rest_days:Float64}, gaps) AS too_soon, toFloat64(arrayMin(gaps)) AS closest, toUnixTimestamp64Milli(last) AS last_ms, surveys, account
FROM (
  SELECT person, arraySort(if(empty(invited), answered, invited)) AS days, arrayMap((one, before) -> toFloat64(one - before), arrayPopFront(days), arrayPopBack(days)) AS gaps,
    if(empty(invited), last_answered, last_invited) AS last, arraySlice(arraySort(if(empty(invited), surveys_answered, surveys_invited)), 1, 10) AS surveys, account
  FROM (
    SELECT person, groupUniqArrayIf(toUInt32(day), told) AS invited, groupUniqArrayIf(toUInt32(day), NOT told) AS answered, maxIf(ts, told) AS last_invited, maxIf(ts, NOT told) AS last_answered,
      groupUniqArrayIf(100)(survey, told AND survey != '') AS surveys_invited, groupUniqArrayIf(100)(survey, NOT told AND survey != '') AS surveys_answered, max(account_id) AS account
    FROM (
      SELECT person_id AS person, ts, toDate(ts, {zone:String}) AS day, toString(survey_id) AS survey, account_id, 1 AS told FROM invitations FINAL
      WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND status != 'bounced' AND person_id != '' AND NOT startsWith(person_id, 'visit:')
      UNION ALL
      SELECT person_id, ts, toDate(ts, {zone:String}), toString(survey_id), account_id, 0 FROM feedback FINAL
      WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND kind IN ('csat', 'nps', 'ces', 'rating') AND person_id != ''
        AND NOT startsWith(person_id, 'visit:')
    ) GROUP BY person
  )
)
WHERE too_soon > 0 ORDER BY too_soon DESC, times DESC, last_ms DESC, person LIMIT {most:UInt32}
