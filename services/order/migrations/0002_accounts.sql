-- A customer's orders in a state: among its own, however many others there are.
CREATE INDEX orders_by_account_and_state ON orders (account_id, state, create_time, order_id);
CREATE INDEX orders_by_account_and_status ON orders (account_id, status, create_time, order_id);
