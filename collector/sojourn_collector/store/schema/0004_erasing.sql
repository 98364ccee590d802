-- Names in the work of an erasure, in memory only: a mutation's text stays on disk, so it must name nobody. `job` keeps two at work apart.
CREATE TABLE IF NOT EXISTS erasing (tenant String, job String, kind LowCardinality(String), id String) ENGINE = Memory
