-- The pages of real visits in the order they were viewed, and conversions, each with its millisecond: of every visit that began in [since, until), or of every so-manieth.
WITH mine AS (
  SELECT session_id, person_id, app FROM sessions FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)} AND ({app:String} = '' OR app = {app:String})
    AND sipHash64(session_id) % {one_in:UInt32} = 0
  LIMIT {most:UInt32}
)
SELECT mine.session_id AS session, any(mine.person_id) AS person, any(toString(mine.app)) AS of_app, arraySort(groupArray(500)((at, page, event))) AS walked
FROM (
  SELECT session_id, toUnixTimestamp64Milli(toDateTime64(ts, 3)) AS at,
    if(attrs['sojourn.page.path'] != '', attrs['sojourn.page.path'], attrs['url.path']) AS page, '' AS event
  FROM spans
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND span_type = 'page_view' AND session_id IN (SELECT session_id FROM mine)
  UNION ALL
  SELECT session_id, toUnixTimestamp64Milli(toDateTime64(ts, 3)), '', attrs['sojourn.conversion.name']
  FROM events
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND attrs['sojourn.conversion.name'] != ''
    AND session_id IN (SELECT session_id FROM mine)
) AS seen
INNER JOIN mine ON seen.session_id = mine.session_id
WHERE page != '' OR event != ''
GROUP BY session
