-- Sums of steps that a new pass did not write again: nothing is left of what they counted.
SELECT journey, step, traffic, location, t FROM step_sums FINAL
WHERE tenant = {tenant:String} AND every = {every:String} AND t >= {since:DateTime('UTC')} AND t < {until:DateTime('UTC')} AND version < {version:UInt64}
