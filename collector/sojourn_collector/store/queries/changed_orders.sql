-- Whose orders were written since a version, also those to whom such a row belonged before; of very many, one more than `most`.
SELECT groupUniqArray(name) AS names FROM (
  SELECT DISTINCT arrayJoin([person_id, session_id]) AS name FROM orders
  WHERE tenant = {tenant:String} AND (source, id) IN (SELECT source, id FROM orders WHERE tenant = {tenant:String} AND version > {after:UInt64})
  LIMIT {most:UInt64} + 1
)
