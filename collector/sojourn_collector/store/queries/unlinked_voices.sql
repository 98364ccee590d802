-- Answers and tickets of [since, until) of which nobody is known.
SELECT (SELECT count() FROM feedback FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND person_id = '' AND kind != 'mention') AS feedback,
  (SELECT count() FROM tickets FINAL WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)} AND person_id = '' AND user_id = '') AS tickets
