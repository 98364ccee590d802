-- The sums of one journey's steps by hour or day; `t` within [since, until).
SELECT * EXCEPT (tenant, every, version, deleted) FROM step_sums FINAL
WHERE tenant = {tenant:String} AND journey = {journey:String} AND every = {every:String} AND t >= {since:DateTime('UTC')} AND t < {until:DateTime('UTC')}
ORDER BY t
