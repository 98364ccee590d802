-- What is known of everyone who came to a step within [since, until], or was hit there in it: browser, release, app and facts of their visit, the account they
-- belong to, and how many visits they made in [history, since). The facts are of the first visit that brought them here. A visit that was another's before
-- somebody signed in may count for both: merging all visits of four weeks for that would take three times as long.
WITH here AS (
  SELECT person_id, any(person_kind) AS kind, argMin(session_id, run_started) AS session, max(account_id) AS account FROM steps FINAL
  WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String}
    AND run_started >= {run_since:DateTime64(3)} AND run_started <= {until:DateTime64(3)}
    AND arrayExists(a -> a >= {since:DateTime64(3)} AND a <= {until:DateTime64(3)}, arrayConcat(arrivals, failures))
  GROUP BY person_id
)
SELECT here.person_id AS person, browser, release, app, facts, if(here.account != '', here.account, told.account_id) AS account, visits
FROM here
LEFT JOIN (SELECT session_id, browser, release, app, facts FROM sessions FINAL WHERE tenant = {tenant:String} AND session_id IN (SELECT session FROM here)) AS known
  ON here.session = known.session_id
LEFT JOIN (
  SELECT person_id, uniqExact(session_id) AS visits FROM sessions
  WHERE tenant = {tenant:String} AND traffic = 'real' AND started >= {history:DateTime64(3)} AND started < {since:DateTime64(3)}
    AND person_id IN (SELECT person_id FROM here WHERE kind != 'visit')
  GROUP BY person_id
) AS been ON here.person_id = been.person_id
LEFT JOIN (SELECT concat('user:', id) AS of_person, account_id FROM told(people: account_id)) AS told
  ON here.person_id = told.of_person
LIMIT 200000
