-- The engine clause of every table, with its TTL. Not a tenant's data.
SELECT name, engine_full FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'
