-- A world for bench/query.py, made by the engine. common stands for the first part; the number is how many rows a visit has at most in the part.
-- A visit v has a moment (the last of them within ten minutes, the others over the days before), a person, a journey, and perhaps a fault;
-- a journey is broken for ten minutes about once in three days, and now; j counts the rows of one visit.
WITH toDateTime64('{now}', 3, 'UTC') AS over, {visits} AS visits, intDiv(number, {per}) AS v, number % {per} AS j,
  lower(hex(sipHash64('s', v))) AS session, concat('u', toString(sipHash64('u', v) % intDiv(visits, 3))) AS user,
  visits - v <= intDiv(visits, {recent}) AS recent,
  over - toIntervalMillisecond(toInt64(if(recent, (visits - v) * 600000 / intDiv(visits, {recent}), 600000 + (visits - intDiv(visits, {recent}) - v) * ({span_ms} - 600000) / (visits - intDiv(visits, {recent}))))) AS began,
  ['checkout', 'search', 'account', 'newsletter', 'returns'][1 + if(recent, 0, sipHash64('j', v) % 5)] AS of_journey, sipHash64('d', v) % 1000 AS dice,
  recent OR sipHash64('w', of_journey, intDiv(toUnixTimestamp(began), 600)) % 400 = 0 AS broken, if(broken, dice < 300, dice < 2) AS hurt, if(hurt AND dice % 2 = 0, 'stopped', if(dice % 10 < 4, 'finished', 'gave_up')) AS how
-------- 40
INSERT INTO spans (tenant, seq, accepted, ts, duration_ns, trace_id, span_id, name, kind, status, service, span_type, traffic, journey, step,
  run_id, session_id, user_id, app, attrs, res)
{common}, j < 8 AS browser, j >= 36 AS probe, if(browser, j, j % 8) AS k
SELECT 'default', intDiv(number, 100000), began, began + toIntervalMillisecond(k * 4000 + j * 7), 1000000 + sipHash64('n', number) % 80000000,
  sipHash128(if(probe, 'p', 't'), v, if(probe, 0, k)), reinterpretAsFixedString(sipHash64('i', number)),
  multiIf(browser, ['page_view /', 'fetch GET /products'][1 + k % 2], probe, 'step',
    ['GET /products', 'SELECT', 'cache get', 'POST /cart', 'POST /payments', 'INSERT', 'publish'][1 + sipHash64('o', number) % 7]),
  if(browser, 3, 2), if(sipHash64('e', number) % 200 = 0, 2, 1), multiIf(browser, 'web', probe, 'sojourn-agent', ['shop', 'payments', 'stock', 'search'][1 + j % 4]),
  multiIf(browser, ['page_view', 'fetch'][1 + k % 2], j = 36, 'run', j = 39, 'exchange', probe, 'step', ''), multiIf(browser, 'real', probe, 'synthetic', ''),
  if(probe, of_journey, ''), if(probe AND j > 36, 'pay', ''), if(probe, concat('p', session), ''), if(browser, session, ''), if(browser, user, ''), if(browser, 'shop', ''),
  map('http.request.method', if(k % 2 = 0, 'GET', 'POST'), 'url.path', concat('/products/', toString(sipHash64('q', number) % 5000)), 'http.response.status_code',
    if(sipHash64('e', number) % 200 = 0, '502', '200'), 'server.address', 'shop.internal', 'network.protocol.version', '1.1', 'shop.order',
    if(j = 20, concat('o', toString(v)), ''), 'thread.id', toString(number % 64), 'user_agent.original', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/156'),
  map('service.name', 'shop', 'host.name', concat('host-', toString(number % 20)))
FROM numbers({start}, {count})
-------- 4
INSERT INTO events (tenant, seq, accepted, ts, name, trace_id, service, traffic, session_id, user_id, app, attrs)
{common} SELECT 'default', intDiv(number, 100000), began, began + toIntervalMillisecond(j * 5000), ['browser.web_vital', 'exception', 'sojourn.frustration', 'click'][1 + j % 4],
  lower(hex(sipHash128('t', v, j))), 'web', 'real', session, user, 'shop', map('browser.web_vital.name', 'lcp', 'browser.web_vital.value', toString(dice))
FROM numbers({start}, {count})
-------- 1
INSERT INTO sessions (tenant, session_id, version, person_id, person_kind, user_id, account_id, app, consent, traffic, device, browser, sample_rate,
  started, ended, pages, errors, trace_ids)
{common} SELECT 'default', session, 1, concat('user:', user), 'user', user, concat('a', toString(sipHash64(user) % 5000)), 'shop', 'granted', 'real', 'mobile', 'Chrome 156', 1,
  began, began + toIntervalSecond(40), 4, hurt, arrayMap(k -> lower(hex(sipHash128('t', v, k))), range(8))
FROM numbers({start}, {count})
-------- 1
INSERT INTO runs (tenant, run_id, version, traffic, journey, started, ended, settled, outcome, end, severity, attempts, location, session_id,
  person_id, person_kind, account_id, app, device, sample_rate, trace_ids)
{common} SELECT 'default', concat('r', session), 1, 'real', of_journey, began, began + toIntervalSecond(40), 1, if(hurt, 'failed', 'passed'), how,
  multiIf(how = 'stopped', 1, hurt, 0.5, 0), 1, '', session, concat('user:', user), 'user', concat('a', toString(sipHash64(user) % 5000)), 'shop', 'mobile', 1,
  [lower(hex(sipHash128('t', v, 0)))]
FROM numbers({start}, {count})
-------- 1
INSERT INTO runs (tenant, run_id, version, traffic, journey, started, ended, settled, outcome, attempts, location, sample_rate, trace_ids)
{common} SELECT 'default', concat('p', session), 1, 'synthetic', of_journey, began, began + toIntervalMillisecond(900 + dice), 1,
  if(broken, 'failed', 'passed'), 1, ['eu', 'us'][1 + v % 2], 1, [lower(hex(sipHash128('p', v, 0)))]
FROM numbers({start}, {count})
-------- 3
INSERT INTO steps (tenant, run_id, step, attempt, version, traffic, journey, number, name, run_started, started, duration_ms, settled, outcome, reached,
  hit, slow, recovered, done, stopped, severity, arrivals, failures, last_seen, hit_trace_id, hit_status, hit_method, hit_path, lcp_ms, session_id, person_id,
  person_kind, account_id, device, cart_value, cart_currency, sample_rate)
{common}, j + 1 AS place, hurt AND place = 3 AS here
SELECT 'default', concat('r', session), ['home', 'cart', 'pay'][place], 1, 1, 'real', of_journey, place, ['Home', 'Cart', 'Pay'][place], began,
  began + toIntervalSecond(place * 8), 4000, 1, if(here, 'failed', 'passed'), 1, here, dice % 20 = 0, here AND how != 'stopped', NOT here, here AND how = 'stopped',
  multiIf(here AND how = 'stopped', 1, here, 0.5, 0), [began + toIntervalSecond(place * 8)], if(here, [began + toIntervalSecond(place * 8 + 1)], []),
  began + toIntervalSecond(place * 8 + 4), if(here, lower(hex(sipHash128('t', v, 4))), ''), if(here, 502, 0), if(here, 'POST', ''), if(here, '/payments', ''),
  800 + dice, session, concat('user:', user), 'user', concat('a', toString(sipHash64(user) % 5000)), 'mobile', 60 + dice % 50, 'EUR', 1
FROM numbers({start}, {count}) WHERE place = 1 OR sipHash64('r', v) % 10 < 10 - 2 * place OR here
-------- 2
INSERT INTO steps (tenant, run_id, step, attempt, version, traffic, journey, number, name, run_started, started, duration_ms, settled, outcome, reached,
  done, arrivals, failures, last_seen, location, sample_rate)
{common}, j + 1 AS place, place = 2 AND broken AS here
SELECT 'default', concat('p', session), ['home', 'pay'][place], 1, 1, 'synthetic', of_journey, place, ['Home', 'Pay'][place], began, began + toIntervalMillisecond(400 * place),
  400, 1, if(here, 'failed', 'passed'), 1, NOT here, [began], if(here, [began + toIntervalSecond(1)], []), began + toIntervalSecond(1), ['eu', 'us'][1 + v % 2], 1
FROM numbers({start}, {count})
-------- 1
INSERT INTO orders (tenant, source, id, version, ts, received, amount, currency, status, user_id, session_id, person_id, run_id, join)
{common} SELECT 'default', 'api', concat('o', toString(v)), 1, began + toIntervalSecond(30), began, 40 + dice % 50, 'EUR', 'completed', user, session,
  concat('user:', user), concat('r', session), 'explicit'
FROM numbers({start}, {count}) WHERE how = 'finished'
-------- 1
INSERT INTO feedback (tenant, source, id, version, ts, received, kind, value, scale_min, scale_max, higher_is_better, satisfied, comment, journey,
  user_id, session_id, person_id, run_ids, join)
{common} SELECT 'default', 'api', concat('f', toString(v)), 1, began + toIntervalSecond(50), began, 'csat', 1 + dice % 5, 1, 5, 1, dice % 5 > 2, 'a comment', of_journey,
  user, session, concat('user:', user), [concat('r', session)], 'explicit'
FROM numbers({start}, {count}) WHERE v % 5 < 2
