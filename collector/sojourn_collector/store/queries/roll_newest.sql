-- The highest version of any sum.
SELECT max(version) AS version FROM run_sums WHERE tenant = {tenant:String}
