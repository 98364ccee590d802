-- Whether whoever answered left the survey before its end.
ALTER TABLE feedback ADD COLUMN IF NOT EXISTS partial Bool DEFAULT false
