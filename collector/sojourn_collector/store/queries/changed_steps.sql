-- Which steps the join wrote since a version, and in which minutes (since 1970) the runs began that it wrote.
SELECT journey, step, groupUniqArray(intDiv(toUnixTimestamp64Milli(run_started), 60000)) AS minutes FROM steps
WHERE tenant = {tenant:String} AND version > {after:UInt64} AND run_started >= {since:DateTime64(3)} GROUP BY journey, step
