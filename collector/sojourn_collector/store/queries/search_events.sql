-- Log records and events of a slice of time by anything they say, newest first; an empty parameter does not filter.
SELECT trace_id AS trace, span_id AS span, ts, toUnixTimestamp64Nano(ts) AS ns, toString(name) AS title, toString(service) AS of_service, severity, substringUTF8(body, 1, 4096) AS begun, toString(traffic) AS of_traffic,
  toString(journey) AS of_journey, toString(step) AS of_step, run_id, session_id,
  mapFromArrays(arraySlice(mapKeys(attrs), 1, 64), arrayMap(v -> substringUTF8(v, 1, 256), arraySlice(mapValues(attrs), 1, 64))) AS some_attrs,
  mapFromArrays(arraySlice(mapKeys(res), 1, 64), arrayMap(v -> substringUTF8(v, 1, 256), arraySlice(mapValues(res), 1, 64))) AS some_res,
  toString(cityHash64(trace_id, span_id, name, body, session_id)) AS mark
FROM events
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(6)} AND ts < {until:DateTime64(6)}
  AND (toUnixTimestamp64Nano(ts), mark) < ({at:Int64}, {after:String})
  AND ({service:String} = '' OR service = {service:String}) AND ({name:String} = '' OR name = {name:String}) AND severity >= {severity:Int8}
  AND ({traffic:String} = '' OR traffic = {traffic:String}) AND ({journey:String} = '' OR journey = {journey:String}) AND ({step:String} = '' OR step = {step:String})
  AND ({run:String} = '' OR run_id = {run:String}) AND ({session:String} = '' OR session_id = {session:String}) AND ({trace:String} = '' OR trace_id = {trace:String})
  AND ({text:String} = '' OR positionCaseInsensitiveUTF8(body, {text:String}) > 0)
  AND ({key1:String} = '' OR (mapContains(attrs, {key1:String}) AND ({any1:UInt8} OR attrs[{key1:String}] = {value1:String})))
  AND ({key2:String} = '' OR (mapContains(attrs, {key2:String}) AND ({any2:UInt8} OR attrs[{key2:String}] = {value2:String})))
  AND ({key3:String} = '' OR (mapContains(attrs, {key3:String}) AND ({any3:UInt8} OR attrs[{key3:String}] = {value3:String})))
  AND ({res_key1:String} = '' OR (mapContains(res, {res_key1:String}) AND ({res_any1:UInt8} OR res[{res_key1:String}] = {res_value1:String})))
  AND ({res_key2:String} = '' OR (mapContains(res, {res_key2:String}) AND ({res_any2:UInt8} OR res[{res_key2:String}] = {res_value2:String})))
ORDER BY events.ts DESC, mark DESC LIMIT {most:UInt32}
