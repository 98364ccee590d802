-- Browser and release of everyone who came to a step within [since, until].
SELECT session_id, browser, release FROM sessions FINAL
WHERE tenant = {tenant:String} AND session_id IN (
  SELECT session_id FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String}
    AND run_started >= {run_since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
    AND arrayExists(a -> a >= {since:DateTime64(3)} AND a <= {until:DateTime64(3)}, arrivals)
)
LIMIT 200000
