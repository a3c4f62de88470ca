-- Numbers that are assigned one after the other. The row's version orders the commits that take one.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL CHECK (value >= 0),
    version BIGINT NOT NULL
);
INSERT INTO counters (name, value, version) VALUES ('timeline', 0, 1);

-- One row per event of an order. `body` is the encoded event. The mesh has no table with more rows, so there is one index
-- beside the key: it lists a timeline, and is narrow enough to find the newest entries of an order.
CREATE TABLE timeline (
    source TEXT NOT NULL,
    position BIGINT NOT NULL CHECK (position > 0),
    entry_number BIGINT NOT NULL CHECK (entry_number > 0),
    order_id TEXT NOT NULL,
    occur_time BIGINT NOT NULL,
    audience TEXT NOT NULL CHECK (audience IN ('STAFF', 'CUSTOMER')),
    body BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (source, position)
);
CREATE INDEX timeline_by_order ON timeline (order_id, occur_time, entry_number);

-- The account of each order.
CREATE TABLE orders (
    order_id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    version BIGINT NOT NULL
);

-- What only a person can decide; without an account it concerns none, or several. `report` is the newest report of it, encoded.
CREATE TABLE exceptions (
    exception_id TEXT PRIMARY KEY,
    exception_type TEXT NOT NULL,
    subject TEXT NOT NULL,
    order_id TEXT NOT NULL,
    account_id TEXT,
    source TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('OPEN', 'ASSIGNED', 'RESOLVED', 'DISMISSED', 'AUTO_RESOLVED')),
    report BYTEA NOT NULL,
    assignee TEXT NOT NULL,
    resolution TEXT NOT NULL,
    occurrences BIGINT NOT NULL CHECK (occurrences > 0),
    due_time BIGINT NOT NULL,
    open_time BIGINT NOT NULL,
    close_time BIGINT,
    version BIGINT NOT NULL,
    CHECK ((state IN ('OPEN', 'ASSIGNED') AND close_time IS NULL)
        OR (state NOT IN ('OPEN', 'ASSIGNED') AND close_time IS NOT NULL))
);
CREATE INDEX exceptions_by_time ON exceptions (open_time, exception_id);
CREATE INDEX exceptions_by_type ON exceptions (exception_type, open_time, exception_id);
CREATE INDEX exceptions_by_state ON exceptions (state, open_time, exception_id);
CREATE INDEX exceptions_by_order ON exceptions (order_id, open_time, exception_id);
CREATE INDEX exceptions_by_type_and_state ON exceptions (exception_type, state, open_time, exception_id);
CREATE INDEX exceptions_by_account ON exceptions (account_id, open_time, exception_id) WHERE account_id IS NOT NULL;

-- How many exceptions there are.
CREATE TABLE exception_counts (
    exception_type TEXT NOT NULL,
    state TEXT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (exception_type, state)
);

-- How many exceptions of an order are open. An order without any exception has no row.
CREATE TABLE order_exceptions (
    order_id TEXT PRIMARY KEY,
    open_exceptions BIGINT NOT NULL CHECK (open_exceptions >= 0),
    version BIGINT NOT NULL
);

-- The one open exception of a type and subject; without an id after it was closed.
CREATE TABLE open_exceptions (
    exception_type TEXT NOT NULL,
    subject TEXT NOT NULL,
    exception_id TEXT,
    version BIGINT NOT NULL,
    PRIMARY KEY (exception_type, subject)
);

-- Calls: a row for each client, method and outcome. `days` is the number of calls of each day, `20417:3 20418:12`; days
-- are counted from 1970-01-01. `usage_id` is a hash of the three, so that a row whose days are all past their retention
-- has no name any more; its `first_day` and `last_day` are then after all others.
CREATE TABLE usages (
    usage_id TEXT PRIMARY KEY,
    client TEXT NOT NULL,
    method TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('ANSWERED', 'REFUSED', 'LIMITED', 'FAILED')),
    first_day BIGINT NOT NULL,
    last_day BIGINT NOT NULL,
    last_seen_time BIGINT NOT NULL,
    days TEXT NOT NULL,
    version BIGINT NOT NULL,
    CHECK (first_day <= last_day)
);
CREATE INDEX usages_by_method ON usages (method, client, outcome);
CREATE INDEX usages_by_client ON usages (client, method, outcome);
CREATE INDEX usages_by_first_day ON usages (first_day);
