-- Everybody with a name or an id who was hit at some step of a journey in [since, until), with the account they belong to and its recurring revenue.
WITH theirs AS (
  SELECT hurt.person_id AS person, if(own != '', own, told.account_id) AS account
  FROM (
    SELECT person_id, max(account_id) AS own FROM steps FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND hit AND person_kind != 'visit'
      AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)}
    GROUP BY person_id
  ) AS hurt
  LEFT JOIN (SELECT concat('user:', id) AS of_person, account_id FROM told(people: account_id)) AS told ON hurt.person_id = told.of_person
)
SELECT person, account, mrr, mrr_currency, renewal FROM theirs
LEFT JOIN (SELECT id, mrr, currency AS mrr_currency, renewal_date AS renewal FROM told(accounts: mrr, renewal_date)) AS priced ON theirs.account = priced.id
LIMIT {most:UInt32}
