-- Names in the work of an erasure, in memory only: a mutation's text stays on disk, so it must name nobody. `job` keeps two at work apart.
CREATE TABLE IF NOT EXISTS erasing (tenant String, job String, kind LowCardinality(String), id String) ENGINE = Memory;
--------
-- Replaced files go within a minute, however quiet the table is; the engine's own pause grows to five.
ALTER TABLE spans MODIFY SETTING max_cleanup_delay_period = 30;
--------
ALTER TABLE events MODIFY SETTING max_cleanup_delay_period = 30;
--------
ALTER TABLE metrics MODIFY SETTING max_cleanup_delay_period = 30;
--------
ALTER TABLE sessions MODIFY SETTING max_cleanup_delay_period = 30;
--------
ALTER TABLE runs MODIFY SETTING max_cleanup_delay_period = 30;
--------
ALTER TABLE steps MODIFY SETTING max_cleanup_delay_period = 30;
--------
ALTER TABLE feedback MODIFY SETTING max_cleanup_delay_period = 30;
--------
ALTER TABLE orders MODIFY SETTING max_cleanup_delay_period = 30;
--------
ALTER TABLE accounts MODIFY SETTING max_cleanup_delay_period = 30;
--------
ALTER TABLE people MODIFY SETTING max_cleanup_delay_period = 30;
