-- The funnel of each journey, customers only: Apdex over the time to the largest paint, else the load; failures are frustrated.
SELECT journey, step, any(name) AS title, min(number) AS place, count() AS reached, countIf(done) AS finished, countIf(hit) AS were_hit, countIf(slow) AS were_slow,
  countIf(took > 0 AND NOT hit) AS timed, countIf(took > 0 AND NOT hit AND took <= t) AS satisfied, countIf(took > t AND took <= 4 * t AND NOT hit) AS tolerating,
  quantileExactIf(0.75)(lcp_ms, lcp_ms > 0) AS lcp, countIf(lcp_ms > 0) AS lcp_seen, any(t) AS threshold
FROM (
  SELECT journey, step, name, number, done, hit, slow, lcp_ms, if(lcp_ms > 0, lcp_ms, load_ms) AS took,
    1000 * transform(toString(journey), {apdex_journeys:Array(String)}, {apdex_seconds:Array(Float64)}, 2.5) AS t
  FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)}
    AND (empty({journeys:Array(String)}) OR journey IN {journeys:Array(String)})
) GROUP BY journey, step ORDER BY journey, place
