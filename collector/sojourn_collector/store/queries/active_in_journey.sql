-- How many people's walks through a journey that began in [since, until) are over, visits without identity apart; roughly, from a sketch. `sampled` = some stand for others.
SELECT uniq(person_id) AS people, min(sample_rate) < 1 AS sampled FROM runs FINAL
WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND settled AND person_kind != 'visit'
  AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
