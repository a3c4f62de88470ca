-- Copies of orders as they were submitted.
CREATE TABLE orders (
    order_id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    version BIGINT NOT NULL
);

-- `claimed` units are authorized to come back or came back.
CREATE TABLE order_lines (
    order_id TEXT NOT NULL,
    line_number BIGINT NOT NULL,
    sku TEXT NOT NULL,
    claimed BIGINT NOT NULL CHECK (claimed >= 0),
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, line_number)
);

-- Delivered units by the node that shipped them.
CREATE TABLE deliveries (
    order_id TEXT NOT NULL,
    line_number BIGINT NOT NULL,
    node_id TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity >= 0),
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, line_number, node_id)
);

-- Nodes of fulfillment: goods come back only to a known node.
CREATE TABLE nodes (
    node_id TEXT PRIMARY KEY,
    version BIGINT NOT NULL
);

-- `size_bytes` is about how long its lines are when they are encoded.
CREATE TABLE returns (
    return_id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN ('AUTHORIZED', 'PARTIALLY_RECEIVED', 'RECEIVED', 'INSPECTED', 'CLOSED', 'CANCELLED')
    ),
    reason TEXT NOT NULL,
    node_id TEXT NOT NULL,
    package_id TEXT,
    currency TEXT NOT NULL,
    credit_state TEXT NOT NULL CHECK (credit_state IN ('PENDING', 'PROPOSED', 'NOT_REFUNDABLE')),
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    overdue_time BIGINT,
    size_bytes BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL
);
CREATE INDEX returns_by_order ON returns (order_id, return_id);
CREATE INDEX returns_by_account ON returns (account_id, return_id);
CREATE INDEX returns_by_state ON returns (state, return_id);
-- The cost of a customer's list does not grow with the returns of other accounts.
CREATE INDEX returns_by_account_and_state ON returns (account_id, state, return_id);

CREATE TABLE return_lines (
    return_id TEXT NOT NULL,
    line_number BIGINT NOT NULL,
    sku TEXT NOT NULL,
    authorized BIGINT NOT NULL CHECK (authorized >= 0),
    received BIGINT NOT NULL CHECK (received >= 0),
    restock BIGINT NOT NULL CHECK (restock >= 0),
    quarantine BIGINT NOT NULL CHECK (quarantine >= 0),
    scrap BIGINT NOT NULL CHECK (scrap >= 0),
    return_to_vendor BIGINT NOT NULL CHECK (return_to_vendor >= 0),
    return_to_customer BIGINT NOT NULL CHECK (return_to_customer >= 0),
    credited BIGINT NOT NULL CHECK (credited >= 0),
    credit_refused BIGINT NOT NULL CHECK (credit_refused >= 0),
    credit_minor BIGINT NOT NULL CHECK (credit_minor >= 0),
    version BIGINT NOT NULL,
    PRIMARY KEY (return_id, line_number),
    CHECK (restock + quarantine + scrap + return_to_vendor + return_to_customer <= received)
);
