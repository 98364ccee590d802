-- Parts that were replaced and lie on disk yet.
SELECT count() AS n FROM system.parts WHERE database = currentDatabase() AND NOT active AND table IN {tables:Array(String)}
