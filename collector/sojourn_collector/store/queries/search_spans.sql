-- Spans of a slice of time by anything they say, newest first; an empty parameter, status and kind below 0, do not filter.
SELECT lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, ts, toUnixTimestamp64Nano(ts) AS ns, duration_ns, toString(name) AS title, toString(service) AS of_service, kind, status,
  substringUTF8(status_message, 1, 256) AS message, toString(traffic) AS of_traffic, toString(journey) AS of_journey, toString(step) AS of_step, run_id, session_id,
  mapFromArrays(arraySlice(mapKeys(attrs), 1, 64), arrayMap(v -> substringUTF8(v, 1, 256), arraySlice(mapValues(attrs), 1, 64))) AS some_attrs,
  mapFromArrays(arraySlice(mapKeys(res), 1, 64), arrayMap(v -> substringUTF8(v, 1, 256), arraySlice(mapValues(res), 1, 64))) AS some_res
FROM spans
WHERE tenant = {tenant:String} AND ts >= {since:DateTime64(6)} AND ts < {until:DateTime64(6)}
  AND (toUnixTimestamp64Nano(ts), lower(hex(span_id))) < ({at:Int64}, {after:String})
  AND ({service:String} = '' OR service = {service:String}) AND ({name:String} = '' OR name = {name:String}) AND ({status:Int8} < 0 OR status = {status:Int8})
  AND ({kind:Int8} < 0 OR kind = {kind:Int8}) AND duration_ns >= {shortest:UInt64}
  AND ({traffic:String} = '' OR traffic = {traffic:String}) AND ({journey:String} = '' OR journey = {journey:String}) AND ({step:String} = '' OR step = {step:String})
  AND ({run:String} = '' OR run_id = {run:String}) AND ({session:String} = '' OR session_id = {session:String}) AND ({trace:String} = '' OR trace_id = toFixedString(unhex({trace:String}), 16))
  AND ({text:String} = '' OR positionCaseInsensitiveUTF8(concat(name, '\n', status_message), {text:String}) > 0)
  AND ({key1:String} = '' OR (mapContains(attrs, {key1:String}) AND ({any1:UInt8} OR attrs[{key1:String}] = {value1:String})))
  AND ({key2:String} = '' OR (mapContains(attrs, {key2:String}) AND ({any2:UInt8} OR attrs[{key2:String}] = {value2:String})))
  AND ({key3:String} = '' OR (mapContains(attrs, {key3:String}) AND ({any3:UInt8} OR attrs[{key3:String}] = {value3:String})))
  AND ({res_key1:String} = '' OR (mapContains(res, {res_key1:String}) AND ({res_any1:UInt8} OR res[{res_key1:String}] = {res_value1:String})))
  AND ({res_key2:String} = '' OR (mapContains(res, {res_key2:String}) AND ({res_any2:UInt8} OR res[{res_key2:String}] = {res_value2:String})))
ORDER BY spans.ts DESC, lower(hex(span_id)) DESC LIMIT {most:UInt32}
