-- Which orders were written since a version, and whose they are now; of very many, one name more than `most`.
SELECT groupUniqArray(name) AS names FROM (
  SELECT DISTINCT arrayJoin([person_id, session_id, concat('orders/', order_key)]) AS name FROM orders
  WHERE tenant = {tenant:String} AND version > {after:UInt64} LIMIT {most:UInt64} + 1
)
