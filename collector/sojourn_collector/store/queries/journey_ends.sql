-- What became of the real runs that started in the window, and when the newest of each began.
SELECT journey, toString(end) AS how, count() AS n, max(started) AS newest FROM runs FINAL
WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
GROUP BY journey, end
