-- Requests of browsers that failed at origins their page says are not its own, by origin: they hurt nobody.
SELECT extract(address, '^https?://[^/?#]+') AS origin, count() AS failed, uniq(session_id) AS visits, max(ts) AS newest
FROM (
  SELECT attrs['url.full'] AS address, session_id, ts FROM spans
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND span_type = 'fetch'
    AND (status = 2 OR toUInt16OrZero(attrs['http.response.status_code']) >= 500) AND attrs['sojourn.request.own'] = 'false'
)
GROUP BY origin HAVING origin != '' ORDER BY visits DESC, failed DESC, origin LIMIT {most:UInt32}
