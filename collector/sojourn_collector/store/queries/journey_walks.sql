-- About how many customers' walks of a journey began in [since, until); written twice counts twice, for it only says how many of them are to be read.
SELECT count() AS walks FROM runs
WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
