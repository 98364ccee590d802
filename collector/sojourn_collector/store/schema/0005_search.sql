-- Spans are found by the value of any attribute, also of one that nobody told us of. Parts that are there already are searched without it until they end.

ALTER TABLE spans ADD INDEX IF NOT EXISTS i_values mapValues(attrs) TYPE bloom_filter(0.01) GRANULARITY 1;
--------
ALTER TABLE events ADD INDEX IF NOT EXISTS i_values mapValues(attrs) TYPE bloom_filter(0.01) GRANULARITY 1;
