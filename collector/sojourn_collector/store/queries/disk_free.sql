-- Bytes left on the fullest of the engine's volumes. Not a tenant's data.
SELECT min(free_space) AS free FROM system.disks
