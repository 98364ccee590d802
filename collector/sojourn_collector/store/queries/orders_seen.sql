-- Whether orders were ever received, when the newest was, and how many of the window are linked to nobody.
SELECT (SELECT count() FROM orders WHERE tenant = {tenant:String}) AS orders, (SELECT max(received) FROM orders WHERE tenant = {tenant:String}) AS newest,
  countIf(join = 'unlinked' AND probe = 0) AS unlinked
FROM orders FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)}
