-- Names in the rows of one journal file, by kind. Of every tenant but told by tenant.
SELECT DISTINCT tenant, kind, name FROM (
  SELECT tenant, pair.1 AS kind, pair.2 AS name FROM spans
  ARRAY JOIN [('user', user_id), ('user', attrs['enduser.id']), ('user', res['enduser.id']), ('user', res['otel.scope.user.id']), ('visitor', visitor_id), ('session', session_id),
    ('trace', lower(hex(trace_id)))] AS pair
  WHERE seq = {seq:UInt64}
  UNION ALL
  SELECT tenant, pair.1 AS kind, pair.2 AS name FROM events
  ARRAY JOIN [('user', user_id), ('user', attrs['enduser.id']), ('user', res['enduser.id']), ('user', res['otel.scope.user.id']), ('visitor', visitor_id), ('session', session_id),
    ('trace', trace_id)] AS pair
  WHERE seq = {seq:UInt64}
  UNION ALL
  SELECT tenant, pair.1 AS kind, pair.2 AS name FROM metrics
  ARRAY JOIN [('user', attrs['user.id']), ('user', res['user.id']), ('user', res['otel.scope.user.id']), ('user', attrs['enduser.id']), ('visitor', attrs['enduser.pseudo.id']),
    ('session', attrs['session.id']), ('session', res['session.id'])] AS pair
  WHERE seq = {seq:UInt64}
) WHERE name != ''
