-- How many people came in [since, until), visits without identity apart; roughly, from a sketch.
SELECT uniqIf(person_id, person_kind != 'visit') AS people FROM sessions
WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
