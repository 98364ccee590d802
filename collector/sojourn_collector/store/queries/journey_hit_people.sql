-- How many people met a failure in a journey in [since, until).
SELECT uniqExact(person_id) AS people FROM runs FINAL
WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND severity >= {severity:Float32} AND person_kind != 'visit'
  AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
