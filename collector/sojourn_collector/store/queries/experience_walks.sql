-- Customers' walks of a journey that began in [since, until) by one fact about who or where it was, as `by`, `attr`, `of`, `fact` and `wider` of `breakdown_units` say; `by` may
-- also be the step where a walk first failed, or for what kind of failure. Of a step: who came to it and how they fared there, the time to the largest paint, else
-- the load; failures are frustrated. With `of_people` the fact is one of a person or an account, else of the walk alone. The row with `whole` = 1 is of all
-- walks, however many groups there are. `who` = different people and visits, up to five.
SELECT fact AS value, grouping(fact) AS whole, uniqExactIf(fact, fact != '') AS groups, sum(n) AS tried, sum(of_finished) AS finished, sum(of_gave_up) AS gave_up,
  sum(of_stopped) AS stopped, sum(of_hit) AS hit, sum(of_slow) AS slow, sum(of_timed) AS timed, sum(of_satisfied) AS satisfied, sum(of_tolerating) AS tolerating,
  uniqUpToMerge(4)(whose) AS who
FROM (
  SELECT multiIf({by:String} = 'plan', told.plan, {by:String} = 'segment', told.segment, {by:String} = 'lifecycle', told.lifecycle, {by:String} = 'owner', told.owner,
      {by:String} = 'role', mine.role, {by:String} IN ('country', 'region', 'channel', 'location', 'network'), multiIf(
        own != '' AND ({by:String} != 'region' OR position(own, '-') > 0), own, mine.attr != '', mine.attr, told.attr != '', told.attr, own),
      {of:String} = 'person', mine.attr, {of:String} = 'account', told.attr, {of:String} = 'visit', own,
      {attr:String} != '', multiIf(mine.attr != '', mine.attr, told.attr != '', told.attr, own), own) AS fact,
    n, of_finished, of_gave_up, of_stopped, of_hit, of_slow, of_timed, of_satisfied, of_tolerating, whose
  FROM (
    SELECT if({of_people:Bool}, person_id, '') AS person, if({of_people:Bool}, account_id, '') AS account, own, count() AS n, countIf(ended = 'finished') AS of_finished,
      countIf(ended = 'gave_up') AS of_gave_up, countIf(ended = 'stopped') AS of_stopped, countIf(bad > 0.4) AS of_hit, countIf(bad > 0 AND bad <= 0.4) AS of_slow,
      countIf(took > 0 AND NOT failed) AS of_timed, countIf(took > 0 AND NOT failed AND took <= {apdex_ms:Float64}) AS of_satisfied,
      countIf(took > {apdex_ms:Float64} AND took <= 4 * {apdex_ms:Float64} AND NOT failed) AS of_tolerating, uniqUpToState(4)(person_id) AS whose
    FROM (
      SELECT person_id, account_id, toString(end) AS ended, severity AS bad, 0 AS took, 0 AS failed,
        multiIf({by:String} = 'device', toString(device), {by:String} = 'browser', toString(browser), {by:String} = 'release', toString(release), {by:String} = 'app', toString(app),
          {by:String} = 'day', toString(toDate(started, {zone:String})), {by:String} = 'hour', leftPad(toString(toHour(started, {zone:String})), 2, '0'),
          {by:String} = 'known', toString(person_kind), {by:String} = 'step', toString(failure_step), {by:String} = 'failure_kind', kinds.kind,
          {fact:String} = '', '', if(facts[{fact:String}] != '', facts[{fact:String}], facts[{wider:String}])) AS own
      FROM runs FINAL
      LEFT JOIN (
        SELECT run_id AS walk, argMin(if(failure_kind != '', toString(failure_kind), 'not known'), number) AS kind FROM steps FINAL
        WHERE {step:String} = '' AND {by:String} = 'failure_kind' AND tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND hit
          AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)}
        GROUP BY walk
      ) AS kinds ON runs.run_id = kinds.walk
      WHERE {step:String} = '' AND tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
      UNION ALL
      SELECT person_id, account_id, multiIf(done, 'finished', NOT settled, 'trying', stopped, 'stopped', 'gave_up') AS ended, multiIf(hit, toFloat32(1), slow, toFloat32(0.25), toFloat32(0)) AS bad,
        if(lcp_ms > 0, lcp_ms, load_ms) AS took, hit AS failed,
        multiIf({by:String} = 'device', toString(device),
          {by:String} = 'day', toString(toDate(run_started, {zone:String})), {by:String} = 'hour', leftPad(toString(toHour(run_started, {zone:String})), 2, '0'),
          {by:String} = 'known', toString(person_kind), {by:String} = 'failure_kind', multiIf(NOT hit, '', failure_kind != '', toString(failure_kind), 'not known'), walks.told) AS own
      FROM steps FINAL
      LEFT JOIN (
        SELECT run_id AS walk, multiIf({by:String} = 'browser', toString(browser), {by:String} = 'release', toString(release), {by:String} = 'app', toString(app),
          {by:String} = 'step', toString(failure_step), {fact:String} = '', '', if(facts[{fact:String}] != '', facts[{fact:String}], facts[{wider:String}])) AS told
        FROM runs FINAL
        WHERE {step:String} != '' AND ({fact:String} != '' OR {by:String} IN ('browser', 'release', 'app', 'step')) AND tenant = {tenant:String} AND traffic = 'real'
          AND journey = {journey:String} AND started >= {since:DateTime64(3)} AND started < {until:DateTime64(3)}
      ) AS walks ON steps.run_id = walks.walk
      WHERE {step:String} != '' AND tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String} AND step = {step:String} AND reached
        AND run_started >= {since:DateTime64(3)} AND run_started < {until:DateTime64(3)}
    )
    GROUP BY person, account, own
  ) AS walked
  LEFT JOIN (
    SELECT concat('user:', id) AS of_person, account_id, role, attr FROM told(people: account_id, role, attr) WHERE {of_people:Bool}
  ) AS mine ON walked.person = mine.of_person
  LEFT JOIN (
    SELECT id, plan, segment, lifecycle, owner, attr FROM told(accounts: plan, segment, lifecycle, owner, attr) WHERE {of_people:Bool}
  ) AS told ON if(walked.account != '', walked.account, mine.account_id) = told.id
)
GROUP BY GROUPING SETS ((fact), ()) ORDER BY whole DESC, tried DESC, value LIMIT {most:UInt32}
