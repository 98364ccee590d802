-- Whether usage and deals were ever told of.
SELECT (SELECT count() > 0 FROM (SELECT 1 FROM usage WHERE tenant = {tenant:String} LIMIT 1)) AS used,
  (SELECT count() > 0 FROM (SELECT 1 FROM deals WHERE tenant = {tenant:String} LIMIT 1)) AS dealt
