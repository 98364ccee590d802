-- How many rows of a journal file are in the table. Of every tenant.
SELECT count() AS n FROM spans WHERE seq = {seq:UInt64}
