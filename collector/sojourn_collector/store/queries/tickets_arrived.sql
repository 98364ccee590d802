-- Tickets by when they were first received, in stretches of ten minutes since 1970. One that was opened more than a day before is of a file or of an outage of
-- the feed, and tells nothing of when people write.
SELECT intDiv(toUnixTimestamp64Milli(first_received), 600000) AS stretch, count() AS tickets
FROM tickets FINAL
WHERE tenant = {tenant:String} AND first_received >= {since:DateTime64(3)} AND first_received < {until:DateTime64(3)} AND ts >= {since:DateTime64(3)} - INTERVAL 1 DAY
  AND first_received < ts + INTERVAL 1 DAY
GROUP BY stretch ORDER BY stretch
