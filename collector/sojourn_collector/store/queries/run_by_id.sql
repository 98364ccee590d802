-- One run of either traffic.
SELECT * EXCEPT (tenant, version, deleted) FROM runs FINAL WHERE tenant = {tenant:String} AND run_id = {run:String} LIMIT 1
