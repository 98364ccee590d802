-- Whether orders were ever received, when the newest was, and how many of the window are linked to nobody.
SELECT count() AS orders, max(received) AS newest,
  countIf(join = 'unlinked' AND probe = 0 AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)}) AS unlinked
FROM orders FINAL WHERE tenant = {tenant:String}
