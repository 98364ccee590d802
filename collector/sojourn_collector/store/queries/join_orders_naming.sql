-- Rows of orders that records which came later concern: of one of these addresses and without a user.
-- In the order of their keys, a page at a time. By PREWHERE only those of the key are read whole: all versions of a row share it.
SELECT * FROM orders FINAL
PREWHERE tenant = {tenant:String} AND (source, id) IN (
  SELECT source, id FROM orders
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND (source, id) > ({after_source:String}, {after_id:String}) AND (
    (user_id = '' AND email_sha256 != '' AND email_sha256 IN {digests:Array(String)}))
  GROUP BY source, id ORDER BY source, id LIMIT {most:UInt32})
WHERE ts >= {since:DateTime64(3)}
ORDER BY source, id
