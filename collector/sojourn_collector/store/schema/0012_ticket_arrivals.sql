-- When a ticket was first received: `received` is that of its newest version, and what is forecast may only know what was there at the time.
ALTER TABLE tickets ADD COLUMN IF NOT EXISTS first_received DateTime64(3) DEFAULT received;
