CREATE TABLE partners (
    partner_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('WAREHOUSE', 'CARRIER', 'ERP', 'CUSTOMER')),
    scac TEXT NOT NULL,
    endpoint_url TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('LIVE', 'SUSPENDED')),
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE messages (
    message_id TEXT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('IN', 'OUT')),
    control_number TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL CHECK (
        (direction = 'IN' AND state IN ('RECEIVED', 'APPLIED', 'REJECTED', 'QUARANTINED'))
        OR (direction = 'OUT' AND state IN ('PENDING', 'SENT', 'IN_DOUBT', 'ACKNOWLEDGED', 'FAILED'))
    ),
    subject TEXT NOT NULL,
    order_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    content_type TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    duplicates BIGINT NOT NULL CHECK (duplicates >= 0),
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX messages_by_partner ON messages (partner_id, message_id);
CREATE INDEX messages_by_order ON messages (order_id, message_id);
CREATE INDEX messages_by_state ON messages (state, message_id);
CREATE INDEX messages_by_direction ON messages (direction, message_id);
CREATE INDEX messages_by_reference ON messages (control_number, partner_id, message_id);
CREATE INDEX messages_by_subject ON messages (subject, direction);

-- Apart from the messages, so that lists and decisions do not read it.
CREATE TABLE contents (
    message_id TEXT PRIMARY KEY,
    content BYTEA NOT NULL,
    version BIGINT NOT NULL
);

-- Which message used a reference first. Its key is what two replicas can not both insert.
CREATE TABLE control_numbers (
    partner_id TEXT NOT NULL,
    control_number TEXT NOT NULL,
    message_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (partner_id, control_number)
);

-- Copies of what fulfillment told: whose work and whose node it is.
CREATE TABLE works (
    fulfillment_order_id TEXT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('WANTED', 'CALLED_OFF')),
    version BIGINT NOT NULL
);

CREATE TABLE nodes (
    node_id TEXT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    version BIGINT NOT NULL
);
