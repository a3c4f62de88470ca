-- Numbers that are given out one after the other. The row's version orders the commits of those who take one.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL CHECK (value >= 0),
    version BIGINT NOT NULL
);
INSERT INTO counters (name, value, version) VALUES ('timeline', 0, 1);

-- One row per event of an order. `body` is the encoded event. The most numerous rows of the mesh, so there is one index
-- beside the key: it lists a timeline, and is narrow enough to find an order's newest entries in.
CREATE TABLE timeline (
    source TEXT NOT NULL,
    position BIGINT NOT NULL CHECK (position > 0),
    entry_number BIGINT NOT NULL CHECK (entry_number > 0),
    order_id TEXT NOT NULL,
    occurred_time BIGINT NOT NULL,
    body BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (source, position)
);
CREATE INDEX timeline_by_order ON timeline (order_id, occurred_time, entry_number);

-- Whose an order is.
CREATE TABLE orders (
    order_id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    version BIGINT NOT NULL
);

-- What only a person can decide. `report` is the newest report of it, encoded.
CREATE TABLE cases (
    exception_id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    order_id TEXT NOT NULL,
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
CREATE INDEX cases_by_time ON cases (open_time, exception_id);
CREATE INDEX cases_by_kind ON cases (kind, open_time, exception_id);
CREATE INDEX cases_by_state ON cases (state, open_time, exception_id);
CREATE INDEX cases_by_order ON cases (order_id, open_time, exception_id);
CREATE INDEX cases_by_kind_and_state ON cases (kind, state);

-- The one open case of a type and subject; without a case when it ended.
CREATE TABLE open_cases (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    exception_id TEXT,
    version BIGINT NOT NULL,
    PRIMARY KEY (kind, subject)
);
