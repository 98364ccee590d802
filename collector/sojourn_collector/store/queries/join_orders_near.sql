-- Rows of orders that sessions just joined may concern: linked to them, naming them, or not yet surely linked and of their person, trace or order.
SELECT * FROM orders FINAL
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND (
  session_id IN {sessions:Array(String)} OR given_session_id IN {sessions:Array(String)}
  OR (join != 'explicit' AND (
    (user_id != '' AND concat('user:', user_id) IN {persons:Array(String)})
    OR (trace_id != '' AND trace_id IN (
      SELECT arrayJoin(trace_ids) FROM sessions FINAL WHERE tenant = {tenant:String} AND session_id IN {sessions:Array(String)}))
    OR (if(purchase != '', purchase, id) IN (
      SELECT arrayJoin(order_ids) FROM sessions FINAL WHERE tenant = {tenant:String} AND session_id IN {sessions:Array(String)})))))
