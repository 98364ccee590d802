-- Rows of feedback that records which came later concern: of one of these addresses and without a user, or not yet surely linked and naming one of these tickets or orders.
-- In the order of their keys, a page at a time. By PREWHERE only those of the key are read whole: all versions of a row share it.
SELECT * FROM feedback FINAL
PREWHERE tenant = {tenant:String} AND (source, id) IN (
  SELECT source, id FROM feedback
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND (source, id) > ({after_source:String}, {after_id:String}) AND (
    (user_id = '' AND email_sha256 != '' AND email_sha256 IN {digests:Array(String)})
    OR (join != 'explicit' AND ((order_id != '' AND order_id IN {orders:Array(String)}) OR (ticket_id != '' AND ticket_id IN {tickets:Array(String)}))))
  GROUP BY source, id ORDER BY source, id LIMIT {most:UInt32})
WHERE ts >= {since:DateTime64(3)}
ORDER BY source, id
