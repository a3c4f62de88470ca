-- Whether the partner may have a message that it did not confirm. Of what is not settled yet nobody remembers.
ALTER TABLE messages ADD COLUMN arrival TEXT NOT NULL DEFAULT 'EXCLUDED' CHECK (arrival IN ('EXCLUDED', 'POSSIBLE'));
UPDATE messages SET arrival = 'POSSIBLE' WHERE direction = 'OUT' AND state IN ('PENDING', 'IN_DOUBT', 'FAILED');
