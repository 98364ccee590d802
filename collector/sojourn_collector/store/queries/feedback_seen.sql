-- Whether feedback was ever received, when the newest was, and how much of the window is linked to no visit.
SELECT (SELECT count() FROM feedback WHERE tenant = {tenant:String}) AS records, (SELECT max(received) FROM feedback WHERE tenant = {tenant:String}) AS newest,
  countIf(join = 'unlinked') AS unlinked
FROM feedback FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)}
