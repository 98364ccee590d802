-- The steps of these runs, by their whole key.
SELECT run_id, step, attempt, traffic, journey, run_started FROM steps FINAL
WHERE tenant = {tenant:String} AND run_started >= {since:DateTime64(3)} AND run_id IN {runs:Array(String)}
