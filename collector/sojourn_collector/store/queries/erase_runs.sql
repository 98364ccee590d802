-- Runs of these sessions and persons.
SELECT DISTINCT run_id FROM runs
WHERE tenant = {tenant:String} AND run_id != '' AND traffic != 'synthetic'
  AND (session_id IN {sessions:Array(String)} OR person_id IN {persons:Array(String)}) ORDER BY run_id
