-- Sums of runs that a new pass did not write again: nothing is left of what they counted.
SELECT journey, traffic, location, t FROM run_sums FINAL
WHERE tenant = {tenant:String} AND every = {every:String} AND t >= {since:DateTime('UTC')} AND t < {until:DateTime('UTC')} AND version < {version:UInt64}
