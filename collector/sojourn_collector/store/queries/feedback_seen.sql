-- Whether feedback was ever received, when the newest was, and how much of the window is linked to no visit.
SELECT count() AS records, max(received) AS newest, countIf(join = 'unlinked' AND ts >= {since:DateTime64(3)} AND ts <= {until:DateTime64(3)}) AS unlinked
FROM feedback FINAL WHERE tenant = {tenant:String}
