-- Nodes fulfillment told of: goods come back to a known one only.
CREATE TABLE nodes (
    node_id TEXT PRIMARY KEY,
    version BIGINT NOT NULL
);

-- A customer's returns: among its own, however many others there are.
CREATE INDEX rmas_by_account_and_state ON rmas (account_id, state, return_id);
CREATE INDEX rmas_by_account_and_order ON rmas (account_id, order_id, return_id);
