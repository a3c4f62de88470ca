-- The trace of the order a fulfillment order is of, which the traces of its reports are linked with.
ALTER TABLE works ADD COLUMN trace_parent TEXT NOT NULL DEFAULT '';
CREATE INDEX works_by_order ON works (order_id);
