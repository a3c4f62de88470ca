-- Customers. `bill_to` is an encoded address.
CREATE TABLE accounts (
    account_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    contact TEXT NOT NULL,
    phone TEXT NOT NULL,
    bill_to BYTEA NOT NULL,
    currency TEXT NOT NULL,
    duplicate_po_policy TEXT NOT NULL CHECK (duplicate_po_policy IN ('REFUSE', 'ALLOW')),
    invoice_policy TEXT NOT NULL CHECK (invoice_policy IN ('ON_SHIPMENT', 'ON_DELIVERY')),
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- Places where accounts receive goods. `address` is an encoded address.
CREATE TABLE ship_tos (
    ship_to_id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    address BYTEA NOT NULL,
    create_time BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX ship_tos_by_account ON ship_tos (account_id, ship_to_id);

-- Copies of inventory's items, so that orders are taken while inventory is unavailable. `item` is the encoded item.
CREATE TABLE items (
    sku TEXT PRIMARY KEY,
    item BYTEA NOT NULL,
    item_version BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- A copy of fulfillment's nodes, all in one row: an encoded list.
CREATE TABLE nodes (
    name TEXT PRIMARY KEY,
    nodes BYTEA NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE orders (
    order_id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    customer_po TEXT NOT NULL,
    -- `customer_po` where the account's policy refuses a second order with it; NULL elsewhere.
    unique_po TEXT,
    ship_to BYTEA NOT NULL,
    currency TEXT NOT NULL,
    fill_policy TEXT NOT NULL
        CHECK (fill_policy IN ('FILL_OR_KILL', 'FILL_ALL', 'FILL_ALL_AVAILABLE', 'FILL_AVAILABLE_BACKORDER')),
    invoice_policy TEXT NOT NULL CHECK (invoice_policy IN ('ON_SHIPMENT', 'ON_DELIVERY')),
    requested_ship_time BIGINT,
    ship_not_before BIGINT,
    cancel_after BIGINT,
    release_time BIGINT,
    handling_micros BIGINT NOT NULL CHECK (handling_micros >= 0),
    state TEXT NOT NULL CHECK (state IN ('SUBMITTED', 'CONFIRMED', 'CLOSED', 'REJECTED', 'CANCELLED')),
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    total_minor BIGINT NOT NULL CHECK (total_minor >= 0),
    invoice_ready_minor BIGINT NOT NULL CHECK (invoice_ready_minor >= 0),
    credited_minor BIGINT NOT NULL CHECK (credited_minor >= 0),
    invoice_count BIGINT NOT NULL CHECK (invoice_count >= 0),
    credit_count BIGINT NOT NULL CHECK (credit_count >= 0),
    release_number BIGINT NOT NULL CHECK (release_number >= 0),
    hold_count BIGINT NOT NULL CHECK (hold_count >= 0),
    open_holds BIGINT NOT NULL CHECK (open_holds >= 0 AND open_holds <= hold_count),
    order_holds BIGINT NOT NULL CHECK (order_holds >= 0 AND order_holds <= open_holds),
    open_exceptions BIGINT NOT NULL CHECK (open_exceptions >= 0),
    cancel_time BIGINT,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    close_time BIGINT,
    version BIGINT NOT NULL,
    CHECK (invoice_ready_minor - credited_minor BETWEEN 0 AND total_minor)
);
CREATE INDEX orders_by_time ON orders (create_time, order_id);
CREATE INDEX orders_by_account ON orders (account_id, create_time, order_id);
CREATE UNIQUE INDEX orders_by_unique_po ON orders (account_id, unique_po);
CREATE INDEX orders_by_customer_po ON orders (customer_po, account_id, create_time, order_id);
CREATE INDEX orders_by_state ON orders (state, create_time, order_id);
CREATE INDEX orders_by_status ON orders (status, create_time, order_id);
-- The cost of a customer's list does not grow with the orders of other accounts.
CREATE INDEX orders_by_account_and_state ON orders (account_id, state, create_time, order_id);
CREATE INDEX orders_by_account_and_status ON orders (account_id, status, create_time, order_id);
-- Few orders need a person.
CREATE INDEX orders_with_open_exceptions ON orders (create_time, order_id) WHERE open_exceptions > 0;
CREATE INDEX orders_with_open_exceptions_by_account ON orders (account_id, create_time, order_id)
    WHERE open_exceptions > 0;

-- Lines with the counters of their units. What was ordered never changes; the counters do.
CREATE TABLE order_lines (
    order_id TEXT NOT NULL,
    line_number BIGINT NOT NULL CHECK (line_number BETWEEN 1 AND 5000),
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    uom TEXT NOT NULL,
    uom_quantity BIGINT NOT NULL CHECK (uom_quantity > 0),
    unit_price_minor BIGINT NOT NULL CHECK (unit_price_minor >= 0),
    discount_basis_points BIGINT NOT NULL CHECK (discount_basis_points BETWEEN 0 AND 10000),
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
    handling_class TEXT NOT NULL,
    promised_ship_time BIGINT,
    open_holds BIGINT NOT NULL CHECK (open_holds >= 0),
    reservation_version BIGINT NOT NULL CHECK (reservation_version >= 0),
    inventory_backordered BIGINT NOT NULL CHECK (inventory_backordered >= 0),
    inventory_released BIGINT NOT NULL CHECK (inventory_released >= 0),
    ordered BIGINT NOT NULL CHECK (ordered > 0),
    cancelled BIGINT NOT NULL CHECK (cancelled >= 0 AND cancelled <= ordered),
    unallocated BIGINT NOT NULL CHECK (unallocated >= 0),
    backordered BIGINT NOT NULL CHECK (backordered >= 0),
    reserved BIGINT NOT NULL CHECK (reserved >= 0),
    released BIGINT NOT NULL CHECK (released >= 0),
    picked BIGINT NOT NULL CHECK (picked >= 0),
    shipped BIGINT NOT NULL CHECK (shipped >= 0),
    delivered BIGINT NOT NULL CHECK (delivered >= 0 AND delivered <= shipped),
    delivered_early BIGINT NOT NULL CHECK (delivered_early >= 0),
    replaced_early BIGINT NOT NULL CHECK (replaced_early >= 0),
    short BIGINT NOT NULL CHECK (short >= 0),
    over_shipped BIGINT NOT NULL CHECK (over_shipped >= 0),
    invoice_ready BIGINT NOT NULL CHECK (invoice_ready >= 0),
    invoice_ready_minor BIGINT NOT NULL CHECK (invoice_ready_minor >= 0),
    creditable BIGINT NOT NULL CHECK (creditable >= 0),
    credited BIGINT NOT NULL CHECK (credited >= 0),
    credited_minor BIGINT NOT NULL CHECK (credited_minor >= 0),
    return_authorized BIGINT NOT NULL CHECK (return_authorized >= 0),
    return_received BIGINT NOT NULL CHECK (return_received >= 0 AND return_received <= shipped),
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, line_number),
    CHECK (ordered + over_shipped = cancelled + unallocated + backordered + reserved + released + shipped),
    CHECK (invoice_ready - credited BETWEEN 0 AND shipped),
    CHECK (invoice_ready_minor - credited_minor BETWEEN 0 AND amount_minor)
);
-- Reserved units wait for something: few orders have any.
CREATE INDEX order_lines_reserved ON order_lines (order_id) WHERE reserved > 0;

-- Sums over the orders that are neither SUBMITTED nor CONFIRMED, so that a summary reads only those that are.
CREATE TABLE ended_orders (
    account_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    orders BIGINT NOT NULL,
    invoice_ready_minor BIGINT NOT NULL,
    lines BIGINT NOT NULL,
    ordered BIGINT NOT NULL,
    cancelled BIGINT NOT NULL,
    unallocated BIGINT NOT NULL,
    backordered BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    released BIGINT NOT NULL,
    picked BIGINT NOT NULL,
    shipped BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    short BIGINT NOT NULL,
    over_shipped BIGINT NOT NULL,
    invoice_ready BIGINT NOT NULL,
    return_authorized BIGINT NOT NULL,
    return_received BIGINT NOT NULL,
    credited BIGINT NOT NULL,
    PRIMARY KEY (account_id, currency, status)
);

-- Holds; those without a release time block the order, or the lines `1,2` of it.
CREATE TABLE order_holds (
    order_id TEXT NOT NULL,
    hold_number BIGINT NOT NULL,
    reason TEXT NOT NULL,
    line_numbers TEXT NOT NULL,
    fulfillment_order_id TEXT,
    note TEXT NOT NULL,
    placed_by TEXT NOT NULL,
    place_time BIGINT NOT NULL,
    expire_time BIGINT,
    released_by TEXT,
    release_time BIGINT,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, hold_number)
);

-- Units that became ready to invoice, a row each time. `readiness` is the encoded message with the lines.
CREATE TABLE invoice_readiness (
    order_id TEXT NOT NULL,
    invoice_number BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    ready_time BIGINT NOT NULL,
    readiness BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, invoice_number)
);
CREATE INDEX invoice_readiness_by_time ON invoice_readiness (ready_time, order_id, invoice_number);
CREATE INDEX invoice_readiness_by_account ON invoice_readiness (account_id, ready_time, order_id, invoice_number);

-- Credits that were proposed, a row each. `credit` is the encoded message with the lines.
CREATE TABLE proposed_credits (
    order_id TEXT NOT NULL,
    credit_number BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    propose_time BIGINT NOT NULL,
    credit BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, credit_number)
);
CREATE INDEX proposed_credits_by_time ON proposed_credits (propose_time, order_id, credit_number);
CREATE INDEX proposed_credits_by_account ON proposed_credits (account_id, propose_time, order_id, credit_number);

-- Lines of returns as last reported: the counters of an order line are their sums, whatever order the reports come in.
CREATE TABLE order_return_lines (
    order_id TEXT NOT NULL,
    return_id TEXT NOT NULL,
    line_number BIGINT NOT NULL,
    return_version BIGINT NOT NULL,
    authorized BIGINT NOT NULL CHECK (authorized >= 0),
    received BIGINT NOT NULL CHECK (received >= 0),
    creditable BIGINT NOT NULL CHECK (creditable >= 0),
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, return_id, line_number)
);
