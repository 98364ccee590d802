-- The hours (UTC) in which runs began that the join wrote under the versions (after, until], taken back ones too.
SELECT DISTINCT toStartOfHour(toTimeZone(toDateTime(started), 'UTC')) AS hour FROM runs
WHERE tenant = {tenant:String} AND version > {after:UInt64} AND version <= {until:UInt64} AND started >= {since:DateTime64(3)}
ORDER BY hour
