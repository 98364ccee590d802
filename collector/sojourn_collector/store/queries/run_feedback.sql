-- Feedback linked to a run.
SELECT source, id, ts, kind, value, scale_min, scale_max, higher_is_better, satisfied, comment, journey, session_id, person_id, join
FROM feedback FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND has(run_ids, {run:String}) ORDER BY ts LIMIT 200
