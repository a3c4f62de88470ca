-- Who reported is part of what a report is, so that nobody's report takes the place of another's. Empty is the
-- distributor itself, whose word always counts, as all did so far.
CREATE TABLE milestones_by_reporter (
    tracking_number TEXT NOT NULL,
    reporter_id TEXT NOT NULL,
    code TEXT NOT NULL,
    occur_time BIGINT NOT NULL,
    raw_code TEXT NOT NULL,
    occur_offset_minutes BIGINT NOT NULL,
    place TEXT NOT NULL,
    estimated_delivery_time BIGINT,
    carrier_id TEXT NOT NULL,
    record_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tracking_number, reporter_id, code, occur_time, raw_code)
);
INSERT INTO milestones_by_reporter (tracking_number, reporter_id, code, occur_time, raw_code, occur_offset_minutes, place,
                                    estimated_delivery_time, carrier_id, record_time, version)
    SELECT tracking_number, '', code, occur_time, raw_code, occur_offset_minutes, place,
           estimated_delivery_time, carrier_id, record_time, version
    FROM milestones;
DROP TABLE milestones;
ALTER TABLE milestones_by_reporter RENAME TO milestones;

CREATE TABLE proofs_by_reporter (
    tracking_number TEXT NOT NULL,
    reporter_id TEXT NOT NULL,
    sign_time BIGINT NOT NULL,
    proof BYTEA NOT NULL,
    carrier_id TEXT NOT NULL,
    record_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tracking_number, reporter_id, sign_time)
);
INSERT INTO proofs_by_reporter (tracking_number, reporter_id, sign_time, proof, carrier_id, record_time, version)
    SELECT tracking_number, '', sign_time, proof, carrier_id, record_time, version FROM proofs;
DROP TABLE proofs;
ALTER TABLE proofs_by_reporter RENAME TO proofs;

-- For callers who see some accounts only.
CREATE INDEX fulfillment_orders_by_account ON fulfillment_orders (account_id, fulfillment_order_id);
CREATE INDEX shipments_by_account_and_order ON shipments (account_id, order_id, create_time, shipment_id);
CREATE INDEX shipments_by_account_and_state ON shipments (account_id, state, create_time, shipment_id);
