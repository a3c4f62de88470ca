-- Answers of commands, for requests that are repeated.
CREATE TABLE requests (
    scope TEXT NOT NULL,
    request_id TEXT NOT NULL,
    name TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    reply BYTEA NOT NULL,
    create_time BIGINT NOT NULL,
    PRIMARY KEY (scope, request_id)
);
CREATE INDEX requests_by_time ON requests (create_time);

-- The log. `body` is the encoded event; the other columns repeat parts of it for lookups.
CREATE TABLE events (
    position BIGINT PRIMARY KEY,
    event_id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    subject TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    occur_time BIGINT NOT NULL,
    record_time BIGINT NOT NULL,
    body BYTEA NOT NULL,
    hash TEXT NOT NULL
);
CREATE INDEX events_by_correlation ON events (correlation_id, position);
CREATE INDEX events_by_type ON events (type, position);

-- The log's last position and hash. Its lock orders the commits.
CREATE TABLE log_head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    position BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO log_head (id, position, hash) VALUES (1, 0, '');

-- How far other logs were followed.
CREATE TABLE subscriptions (
    name TEXT PRIMARY KEY,
    position BIGINT NOT NULL CHECK (position >= 0)
);

-- Events whose reaction was refused for good, until they are applied after all. `event` is the encoded event without its
-- payload, which is in the source's log.
CREATE TABLE parked_events (
    subscription TEXT NOT NULL,
    event_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    event_type TEXT NOT NULL,
    event BYTEA NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    park_time BIGINT NOT NULL,
    apply_time BIGINT,
    version BIGINT NOT NULL,
    PRIMARY KEY (subscription, event_id)
);

-- Work due at a time, until it is done. `claim` counts claims and replacements, so that a runner notices when a task is no longer
-- its own. `failures` counts attempts that ended with a fault, `unended` those since then that ended with their process.
CREATE TABLE tasks (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    due_time BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    order_id TEXT NOT NULL,
    account_id TEXT,
    trace_parent TEXT,
    failures BIGINT NOT NULL CHECK (failures >= 0),
    unended BIGINT NOT NULL CHECK (unended >= 0),
    reported BIGINT NOT NULL CHECK (reported IN (0, 1)),
    lease_until BIGINT NOT NULL,
    last_error TEXT NOT NULL,
    claim BIGINT NOT NULL,
    PRIMARY KEY (kind, key)
);
CREATE INDEX tasks_by_due_time ON tasks (due_time);
