-- Orders of [since, until), newest first, from a place in the list on; an empty parameter does not filter. With `once` a purchase that several feeds tell of stands once,
-- as it counts: the one with most given back, then the newest.
SELECT source, id, ts, gross, refund, net, currency, rate, rate_currency, status, probe, channel, person_id, account_id, session_id, run_id, join, join_confidence, of_purchase, key
FROM (
  SELECT toString(source) AS source, id, ts, toFloat64(amount) AS gross, toFloat64(refunded) AS refund, toFloat64(amount - refunded) AS net, toString(currency) AS currency, rate,
    toString(rate_currency) AS rate_currency, toString(status) AS status, probe, toString(channel) AS channel, person_id, account_id, session_id, run_id, toString(join) AS join, join_confidence,
    purchase AS of_purchase, order_key, version, concat(orders.source, '/', id) AS key
  FROM orders FINAL
  WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(3)} AND ts < {until:DateTime64(3)}
    AND ({status:String} = '' OR orders.status = {status:String}) AND ({currency:String} = '' OR orders.currency = {currency:String}) AND ({channel:String} = '' OR orders.channel = {channel:String})
    AND ({feed:String} = '' OR orders.source = {feed:String}) AND ({session:String} = '' OR session_id = {session:String})
    AND ({person:String} = '' OR person_id = {person:String} OR (person_id = '' AND user_id != '' AND concat('user:', user_id) = {person:String}))
    AND ({account:String} = '' OR account_id = {account:String} OR (startsWith(person_id, 'user:') AND substring(person_id, 6) IN (
      SELECT id FROM told(people: account_id) WHERE {account:String} != '' AND account_id = {account:String})))
    AND ({journey:String} = '' OR (session_id != '' AND session_id IN (
      SELECT session_id FROM runs FINAL WHERE {journey:String} != '' AND tenant = {tenant:String} AND traffic = 'real' AND journey = {journey:String}
        AND started >= {since:DateTime64(3)} - INTERVAL 4 DAY AND started < {until:DateTime64(3)})))
    AND ({link:String} = '' OR orders.join = {link:String} OR ({link:String} = 'linked' AND session_id != ''))
    AND (NOT {refunded:UInt8} OR orders.refunded > 0) AND (NOT {counted:UInt8} OR (probe = 0 AND orders.status != 'cancelled'))
    AND multiIf({probes:String} = 'with', true, {probes:String} = 'only', probe = 1, probe = 0)
    AND ({visit:String} = '' OR ({visit:String} = 'known') = (session_id != '' AND (orders.join = 'explicit' OR (given_session_id = '' AND trace_id = ''))))
  ORDER BY order_key, refund DESC, version DESC LIMIT 1 BY if({once:UInt8}, order_key, key)
)
WHERE (toUnixTimestamp64Milli(ts), key) < ({at:Int64}, {after:String})
ORDER BY ts DESC, key DESC LIMIT {most:UInt32}
