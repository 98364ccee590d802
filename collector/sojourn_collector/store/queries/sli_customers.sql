-- Who tried each journey and who met a technical failure in it; slow alone (severity 0.25) is none.
SELECT journey,
  uniqExactIf(person_id, person_kind != 'visit') AS people, uniqExactIf(person_id, person_kind != 'visit' AND severity > 0.25) AS people_hit,
  uniqExactIf(person_id, person_kind = 'visit') AS visits, uniqExactIf(person_id, person_kind = 'visit' AND severity > 0.25) AS visits_hit
FROM runs FINAL
WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {since:DateTime64(3)} AND started <= {until:DateTime64(3)}
GROUP BY journey ORDER BY people + visits DESC LIMIT 1000
