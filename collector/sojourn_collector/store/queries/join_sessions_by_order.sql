-- The session whose page reported an order, else the one the order itself was linked to explicitly; answers may come long after it was placed.
SELECT key, argMin(session_id, rank) AS session_id FROM (
  SELECT arrayJoin(arrayIntersect(order_ids, {orders:Array(String)})) AS key, session_id, 0 AS rank FROM sessions FINAL
  WHERE tenant = {tenant:String} AND started >= {since:DateTime64(3)} AND hasAny(order_ids, {orders:Array(String)})
  UNION ALL
  SELECT arrayJoin(arrayIntersect([id, purchase], {orders:Array(String)})) AS key, session_id, 1 AS rank FROM orders FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} - INTERVAL 400 DAY AND hasAny([id, purchase], {orders:Array(String)}) AND join = 'explicit'
) GROUP BY key
