-- Severities by person and local day in a journey, or at one of its steps, by one fact, as sums that the score needs; visits without identity apart. What is told of a unit
-- is what is told of the worst of its walks that are over. With by_visit each visit counts by itself, whosever it is, all as anonymous. Parameters as of `experience_walks`.
-- Of who has a walk that is not over: Σ w by class (0 = nothing met) of their worst if it succeeds, and of what the sums have of them.
SELECT fact AS value, grouping(fact) AS whole, anonymous, countIf(ends) AS units, sumIf(w, ends) AS w_sum, sumIf(w * w, ends) AS w_squares, sumIf(w * worst, ends) AS w_severity,
  sumIf(w, worst > 0 AND worst <= 0.4 AND ends) AS w_slow, sumIf(w, worst > 0.4 AND worst <= 0.7 AND ends) AS w_recovered,
  sumIf(w, worst > 0.7 AND worst <= 0.9 AND ends) AS w_left, sumIf(w, worst > 0.9 AND ends) AS w_blocked,
  countIf(open) AS trying_units, sumMapIf(map(toUInt8((best > 0) + (best > 0.4) + (best > 0.7) + (best > 0.9)), of_all), open) AS trying_best,
  sumMapIf(map(toUInt8((worst > 0) + (worst > 0.4) + (worst > 0.7) + (worst > 0.9)), w), open AND ends) AS trying_counted
FROM (
  SELECT multiIf({by:String} = 'plan', told.plan, {by:String} = 'segment', told.segment, {by:String} = 'lifecycle', told.lifecycle, {by:String} = 'owner', told.owner,
      {by:String} = 'role', mine.role, {by:String} IN ('country', 'region', 'channel', 'location', 'network'), multiIf(
        of_unit != '' AND ({by:String} != 'region' OR position(of_unit, '-') > 0), of_unit, mine.attr != '', mine.attr, told.attr != '', told.attr, of_unit),
      {of:String} = 'person', mine.attr, {of:String} = 'account', told.attr, {of:String} = 'visit', of_unit,
      {attr:String} != '', multiIf(mine.attr != '', mine.attr, told.attr != '', told.attr, of_unit), of_unit) AS fact,
    anonymous, ends, worst, w, open, best, of_all
  FROM (
    SELECT person_id, {by_visit:Bool} OR kind = 'visit' AS anonymous, max(account_id) AS account, max(over) AS ends, maxIf(bad, over) AS worst, maxIf(weight, over) AS w,
      min(over) = 0 AS open, greatest(worst, least(0.5, maxIf(bad, NOT over))) AS best, max(weight) AS of_all, argMax(own, (over, bad, started)) AS of_unit
    FROM (
      SELECT person_id, session_id, account_id, toString(person_kind) AS kind, started, settled AS over, toFloat64(severity) AS bad,
        1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1) AS weight,
        multiIf({by:String} = 'device', toString(device), {by:String} = 'browser', toString(browser), {by:String} = 'release', toString(release), {by:String} = 'app', toString(app),
          {by:String} = 'day', toString(toDate(started, {zone:String})), {by:String} = 'hour', leftPad(toString(toHour(started, {zone:String})), 2, '0'),
          {by:String} = 'known', toString(person_kind), {fact:String} = '', '', if(facts[{fact:String}] != '', facts[{fact:String}], facts[{wider:String}])) AS own
      FROM runs FINAL
      WHERE {step:String} = '' AND tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
      UNION ALL
      SELECT person_id, session_id, account_id, toString(person_kind) AS kind, run_started AS started, settled AS over, toFloat64(severity) AS bad,
        1 / if(sample_rate > 0 AND sample_rate <= 1, sample_rate, 1) AS weight,
        multiIf({by:String} = 'device', toString(device),
          {by:String} = 'day', toString(toDate(run_started, {zone:String})), {by:String} = 'hour', leftPad(toString(toHour(run_started, {zone:String})), 2, '0'),
          {by:String} = 'known', toString(person_kind), walks.told) AS own
      FROM steps FINAL
      LEFT JOIN (
        SELECT run_id AS walk, multiIf({by:String} = 'browser', toString(browser), {by:String} = 'release', toString(release), {by:String} = 'app', toString(app),
          {fact:String} = '', '', if(facts[{fact:String}] != '', facts[{fact:String}], facts[{wider:String}])) AS told
        FROM runs FINAL
        WHERE {step:String} != '' AND ({fact:String} != '' OR {by:String} IN ('browser', 'release', 'app')) AND tenant = {tenant:String} AND traffic = 'real'
          AND journey = {journey:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
      ) AS walks ON steps.run_id = walks.walk
      WHERE {step:String} != '' AND tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String} AND reached
        AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)}
    )
    GROUP BY person_id, if({by_visit:Bool}, session_id, ''), toDate(started, {zone:String}), anonymous
  ) AS units
  LEFT JOIN (
    SELECT concat('user:', id) AS of_person, account_id, role, attr FROM told(people: account_id, role, attr) WHERE {of_people:Bool}
  ) AS mine ON units.person_id = mine.of_person
  LEFT JOIN (
    SELECT id, plan, segment, lifecycle, owner, attr FROM told(accounts: plan, segment, lifecycle, owner, attr) WHERE {of_people:Bool}
  ) AS told ON if(units.account != '', units.account, mine.account_id) = told.id
)
GROUP BY GROUPING SETS ((fact, anonymous), (anonymous)) ORDER BY whole DESC, units DESC, value LIMIT {most:UInt32}
