-- How often each answer was given in [since, until): each person's newest of a kind on a scale; of an unknown person each counts. Sources without a scale are left out.
SELECT kind, scale_min, scale_max, higher_is_better, answer.1 AS value, answer.2 AS satisfied, count() AS n
FROM (
  SELECT if(kind = 'rating', 'csat', toString(kind)) AS kind, scale_min, scale_max, higher_is_better, argMax((value, satisfied), (ts, id)) AS answer
  FROM feedback FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)}
    AND value IS NOT NULL AND scale_min IS NOT NULL AND scale_max IS NOT NULL
  GROUP BY kind, scale_min, scale_max, higher_is_better, if(person_id != '', person_id, concat(source, '/', id))
)
GROUP BY kind, scale_min, scale_max, higher_is_better, value, satisfied
