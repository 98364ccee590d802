-- Parts that were replaced and lie on disk yet.
SELECT table, name FROM system.parts WHERE database = currentDatabase() AND NOT active AND table IN {tables:Array(String)}
