-- A part of a table by its folder, as it stands in the engine's errors.
SELECT table, name, rows, path FROM system.parts
WHERE active AND database = currentDatabase() AND name = {part:String} AND position(path, concat('/', {folder:String}, '/')) > 0
