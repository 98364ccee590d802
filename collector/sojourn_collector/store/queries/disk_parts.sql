-- Bytes of every table's partitions: in use, and of parts replaced or dropped that the engine removes in a while. Of every tenant.
SELECT table, partition, sumIf(bytes_on_disk, active) AS bytes, sumIf(bytes_on_disk, NOT active) AS leaving, sumIf(rows, active) AS n
FROM system.parts WHERE database = currentDatabase() GROUP BY table, partition
