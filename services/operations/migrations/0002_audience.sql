-- Who is shown an entry. Entries that are there already are shown to the distributor's own people only.
ALTER TABLE timeline ADD COLUMN audience TEXT NOT NULL DEFAULT 'STAFF' CHECK (audience IN ('STAFF', 'CUSTOMER'));
