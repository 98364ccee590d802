-- Real orders of [since, until) by local day, and how many of them have a visit. One that names its visit has it only where that is known: the person's last
-- visit before stands for the one it came from only where it names none.
SELECT toDate(ts, {zone:String}) AS day, count() AS orders, countIf(session_id != '' AND (join = 'explicit' OR (given_session_id = '' AND trace_id = ''))) AS with_visit
FROM orders FINAL
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND probe = 0 AND status != 'cancelled'
GROUP BY day ORDER BY day
