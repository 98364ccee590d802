-- The newest probe run of the same journey and location that passed before a given one.
SELECT * EXCEPT (tenant, version, deleted) FROM runs FINAL
WHERE tenant = {tenant:String} AND traffic = 'synthetic' AND journey = {journey:String} AND location = {location:String}
  AND started < {before:DateTime64(3)} AND started >= {since:DateTime64(3)} AND outcome = 'passed'
ORDER BY started DESC LIMIT 1
