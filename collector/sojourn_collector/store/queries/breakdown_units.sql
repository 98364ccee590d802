-- Severities by person and local day in a journey, by one fact about who or where it was. `by` names the fact; one of an account or a person is looked up there.
-- What a visit says of country, region and channel goes before an attribute of that name, but for a region that is only known to be of a country. `attr` is an attribute of a person, else of the account, else of the visit; `of`
-- asks for one of the three alone. `wider` is the fact of a visit that stands in where `fact` is not known. The row with `whole` = 1 is of everybody, however many groups there are.
-- With by_visit each visit counts by itself, whosever it is. With by_person the rows are of each person, of every so-manieth of them.
SELECT if({by_person:Bool}, person_id, '') AS person, fact AS value, grouping(fact) AS whole, count() AS people, countIf(fact = '') AS unknown, uniqExactIf(fact, fact != '') AS groups,
  sum(w * worst) AS w_severity, sum(w) AS w_sum, sum(w * w) AS w_squares,
  sumIf(w, worst > 0 AND worst <= 0.4) AS w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7) AS w_recovered,
  sumIf(w, worst > 0.7 AND worst <= 0.9) AS w_left, sumIf(w, worst > 0.9) AS w_blocked
FROM (
  SELECT person_id, day, worst, w,
    multiIf({by:String} = 'device', of_device, {by:String} = 'browser', of_browser, {by:String} = 'release', of_release, {by:String} = 'app', of_app,
      {by:String} = 'day', toString(day), {by:String} = 'hour', of_hour, {by:String} = 'known', of_kind,
      {by:String} = 'plan', told.plan, {by:String} = 'segment', told.segment, {by:String} = 'lifecycle', told.lifecycle, {by:String} = 'owner', told.owner,
      {by:String} = 'role', who.role, {by:String} IN ('country', 'region', 'channel', 'location', 'network'), multiIf(
        of_fact != '' AND ({by:String} != 'region' OR position(of_fact, '-') > 0), of_fact, who.attr != '', who.attr, told.attr != '', told.attr, of_fact),
      {of:String} = 'person', who.attr, {of:String} = 'account', told.attr, {of:String} = 'visit', of_fact,
      {attr:String} != '', multiIf(who.attr != '', who.attr, told.attr != '', told.attr, of_fact), '') AS fact
  FROM (
    SELECT person_id, toDate(started, {zone:String}) AS day, max(toFloat64(severity)) AS worst, max(1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1)) AS w,
      argMax(toString(device), (severity, started)) AS of_device, argMax(toString(browser), (severity, started)) AS of_browser,
      argMax(toString(release), (severity, started)) AS of_release, argMax(toString(app), (severity, started)) AS of_app,
      leftPad(toString(toHour(argMax(started, (severity, started)), {zone:String})), 2, '0') AS of_hour, any(toString(person_kind)) AS of_kind, max(account_id) AS of_account,
      argMax(if(facts[{fact:String}] != '', facts[{fact:String}], facts[{wider:String}]), (severity, started)) AS of_fact
    FROM runs FINAL
    WHERE tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND settled AND ({by_visit:Bool} OR person_kind != 'visit')
      AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)} AND ({one_in:UInt32} <= 1 OR sipHash64(person_id) % {one_in:UInt32} = 0)
    GROUP BY person_id, if({by_visit:Bool}, session_id, ''), day
  ) AS units
  LEFT JOIN (
    SELECT concat('user:', id) AS of_person, account_id, role, attr FROM told(people: account_id, role, attr) WHERE {by:String} != '' OR {attr:String} != ''
  ) AS who ON units.person_id = who.of_person
  LEFT JOIN (
    SELECT id, plan, segment, lifecycle, owner, attr FROM told(accounts: plan, segment, lifecycle, owner, attr) WHERE {by:String} != '' OR {attr:String} != ''
  ) AS told ON if(units.of_account != '', units.of_account, who.account_id) = told.id
)
GROUP BY GROUPING SETS ((person, fact), (person)) ORDER BY whole DESC, w_severity DESC, people DESC, value LIMIT {most:UInt32}
