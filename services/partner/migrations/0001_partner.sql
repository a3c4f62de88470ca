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
    message_type TEXT NOT NULL,
    state TEXT NOT NULL CHECK (
        (direction = 'IN' AND state IN ('RECEIVED', 'APPLIED', 'PARTIALLY_APPLIED', 'REJECTED', 'QUARANTINED',
                                            'RETRACTED'))
        OR (direction = 'OUT' AND state IN ('PENDING', 'HELD', 'SENT', 'IN_DOUBT', 'ACKNOWLEDGED', 'FAILED'))
    ),
    subject TEXT NOT NULL,
    order_id TEXT NOT NULL,
    account_id TEXT,
    outcome TEXT NOT NULL,
    recorded_as TEXT NOT NULL,
    retracted_by TEXT,
    content_type TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    duplicates BIGINT NOT NULL CHECK (duplicates >= 0),
    replays BIGINT NOT NULL CHECK (replays >= 0),
    parts BIGINT NOT NULL CHECK (parts >= 0),
    arrival TEXT NOT NULL CHECK (arrival IN ('IMPOSSIBLE', 'POSSIBLE')),
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CHECK ((state = 'RETRACTED') = (retracted_by IS NOT NULL))
);
-- There is no index by direction, which follows from the state.
CREATE INDEX messages_by_partner_and_state ON messages (partner_id, state, message_id);
CREATE INDEX messages_by_order ON messages (order_id, message_id);
CREATE INDEX messages_by_account ON messages (account_id, message_id) WHERE account_id IS NOT NULL;
CREATE INDEX messages_by_state ON messages (state, message_id);
CREATE INDEX messages_by_control_number ON messages (control_number, partner_id, message_id);
CREATE INDEX messages_by_subject ON messages (subject, direction);

-- Apart from the messages, so that lists and decisions do not read it.
CREATE TABLE contents (
    message_id TEXT PRIMARY KEY,
    content BYTEA NOT NULL,
    version BIGINT NOT NULL
);

-- Parts of reports that were refused when the rest took effect: elements of their lists.
CREATE TABLE report_parts (
    message_id TEXT NOT NULL,
    part_number BIGINT NOT NULL,
    list TEXT NOT NULL,
    element BIGINT NOT NULL,
    problem TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('WAITING', 'APPLIED', 'DROPPED')),
    version BIGINT NOT NULL,
    PRIMARY KEY (message_id, part_number)
);

-- The first message of a partner with a control number. Two replicas cannot both insert the same key.
CREATE TABLE control_numbers (
    partner_id TEXT NOT NULL,
    control_number TEXT NOT NULL,
    message_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (partner_id, control_number)
);

-- Copied from the events of fulfillment: fulfillment orders requested of partners, and who runs each node.
CREATE TABLE fulfillment_requests (
    fulfillment_order_id TEXT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('REQUESTED', 'HELD', 'WITHDRAWN')),
    trace_parent TEXT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX fulfillment_requests_by_order ON fulfillment_requests (order_id);

CREATE TABLE nodes (
    node_id TEXT PRIMARY KEY,
    partner_id TEXT NOT NULL,
    version BIGINT NOT NULL
);

-- Programs that call from outside. `roles` and `account_ids` are lists with a space between two elements.
CREATE TABLE api_clients (
    api_client_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('PARTNER', 'APPLICATION', 'CUSTOMER')),
    roles TEXT NOT NULL,
    account_ids TEXT NOT NULL,
    partner_id TEXT,
    contact TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('LIVE', 'SUSPENDED')),
    keys_created BIGINT NOT NULL CHECK (keys_created >= 0),
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CHECK ((kind = 'PARTNER') = (partner_id IS NOT NULL))
);

-- Their keys. A key itself is not stored: a presented key is found by its hash.
CREATE TABLE api_keys (
    api_key_id TEXT PRIMARY KEY,
    api_client_id TEXT NOT NULL,
    prefix TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    scopes TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    expire_time BIGINT,
    last_use_time BIGINT,
    revoke_time BIGINT,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (key_hash);
CREATE INDEX api_keys_by_api_client ON api_keys (api_client_id, api_key_id);
