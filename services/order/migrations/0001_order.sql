-- Customers. `bill_to` is an encoded address.
CREATE TABLE accounts (
    account_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    contact TEXT NOT NULL,
    phone TEXT NOT NULL,
    bill_to BYTEA NOT NULL,
    currency TEXT NOT NULL,
    duplicate_po_policy TEXT NOT NULL CHECK (duplicate_po_policy IN ('REFUSE', 'ALLOW')),
    invoice_policy TEXT NOT NULL CHECK (invoice_policy IN ('ON_SHIPMENT', 'ON_DELIVERY', 'ON_PROOF_OF_DELIVERY', 'ON_COMPLETION')),
    state TEXT NOT NULL CHECK (state IN ('ACTIVE', 'BLOCKED')),
    block_reason TEXT NOT NULL,
    -- An encoded message.
    payment_terms BYTEA,
    credit_limit_minor BIGINT CHECK (credit_limit_minor >= 0),
    credit_policy TEXT NOT NULL CHECK (credit_policy IN ('HOLD', 'REFUSE')),
    price_list_id TEXT,
    own_prices TEXT NOT NULL CHECK (own_prices IN ('NEVER', 'SOME')),
    price_tolerance_points BIGINT NOT NULL CHECK (price_tolerance_points BETWEEN 0 AND 10000),
    price_tolerance_minor BIGINT NOT NULL CHECK (price_tolerance_minor >= 0),
    price_policy TEXT NOT NULL CHECK (price_policy IN ('ACCEPT', 'HOLD', 'REJECT')),
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- The words of accounts' names in small letters, as bytes. A name that became shorter leaves empty words.
CREATE TABLE account_words (
    account_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    word BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (account_id, position)
);
CREATE INDEX account_words_by_word ON account_words (word, account_id);

-- What an account owes, as far as it is counted: a row for each account that has or had a credit limit, or receivables. Its orders
-- are in it from `counted_minor` of each, what became ready to invoice from the rows that name it as `unposted_account_id`.
CREATE TABLE account_credit (
    account_id TEXT PRIMARY KEY,
    limit_minor BIGINT CHECK (limit_minor >= 0),
    open_minor BIGINT NOT NULL,
    held_minor BIGINT NOT NULL,
    held_orders BIGINT NOT NULL CHECK (held_orders >= 0),
    ready_minor BIGINT NOT NULL,
    receivables_minor BIGINT NOT NULL,
    as_of BIGINT,
    includes_ready_until BIGINT,
    version BIGINT NOT NULL
);

CREATE INDEX account_credit_held ON account_credit (account_id) WHERE held_orders > 0;

CREATE TABLE price_lists (
    price_list_id TEXT PRIMARY KEY,
    currency TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- The prices of an item, in a price list or of one account: `owner` is the id of either. `prices` is an encoded message.
CREATE TABLE item_prices (
    owner TEXT NOT NULL,
    sku TEXT NOT NULL,
    prices BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (owner, sku)
);

-- Places where accounts receive goods. `address` is an encoded address.
CREATE TABLE ship_tos (
    ship_to_id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL,
    address BYTEA NOT NULL,
    time_zone TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('DELIVERABLE', 'NOT_DELIVERABLE')),
    state_reason TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX ship_tos_by_account ON ship_tos (account_id, ship_to_id);

-- Copies of inventory's items, so that orders are taken while inventory is unavailable. `item` is the encoded item.
CREATE TABLE items (
    sku TEXT PRIMARY KEY,
    -- The SKU in small letters, as bytes: the order of bytes is the same in every database.
    search_key BYTEA NOT NULL,
    item BYTEA NOT NULL,
    item_version BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE INDEX items_by_search_key ON items (search_key);

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
    -- `customer_po` in small letters, as bytes.
    po_search_key BYTEA NOT NULL,
    -- `customer_po` of a live order where the account's policy refuses a second one with it; NULL elsewhere.
    unique_po TEXT,
    ship_to BYTEA NOT NULL,
    currency TEXT NOT NULL,
    fill_policy TEXT NOT NULL
        CHECK (fill_policy IN ('FILL_OR_KILL', 'FILL_ALL', 'FILL_ALL_AVAILABLE', 'FILL_AVAILABLE_BACKORDER')),
    invoice_policy TEXT NOT NULL CHECK (invoice_policy IN ('ON_SHIPMENT', 'ON_DELIVERY', 'ON_PROOF_OF_DELIVERY', 'ON_COMPLETION')),
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
    priority BIGINT CHECK (priority BETWEEN 0 AND 9),
    group_count BIGINT NOT NULL CHECK (group_count >= 0),
    change_count BIGINT NOT NULL CHECK (change_count >= 0),
    proposed_change BIGINT,
    requested_change BIGINT,
    invoice_count BIGINT NOT NULL CHECK (invoice_count >= 0),
    credit_count BIGINT NOT NULL CHECK (credit_count >= 0),
    to_invoice_lines BIGINT NOT NULL CHECK (to_invoice_lines >= 0),
    mismatched_invoice TEXT,
    release_number BIGINT NOT NULL CHECK (release_number >= 0),
    hold_count BIGINT NOT NULL CHECK (hold_count >= 0),
    open_holds BIGINT NOT NULL CHECK (open_holds >= 0 AND open_holds <= hold_count),
    order_holds BIGINT NOT NULL CHECK (order_holds >= 0 AND order_holds <= open_holds),
    -- An encoded message.
    payment_terms BYTEA,
    -- What `account_credit` has of the order; NULL when it is not counted.
    counted_minor BIGINT,
    credit_hold_number BIGINT,
    -- What that hold keeps from being released; NULL without it.
    credit_held_minor BIGINT,
    credit_approved_minor BIGINT,
    open_exceptions BIGINT NOT NULL CHECK (open_exceptions >= 0),
    cancel_time BIGINT,
    -- What the customer added in its own words, encoded; NULL for most.
    own_fields BYTEA,
    -- Sums over the lines, so that a list need not read them; `sums` is an encoded order with no more.
    line_count BIGINT NOT NULL CHECK (line_count >= 0),
    sums BYTEA NOT NULL,
    returnable BIGINT NOT NULL CHECK (returnable >= 0),
    size_bytes BIGINT NOT NULL CHECK (size_bytes >= 0),
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    close_time BIGINT,
    version BIGINT NOT NULL,
    CHECK (invoice_ready_minor - credited_minor BETWEEN 0 AND total_minor)
);
CREATE INDEX orders_by_time ON orders (create_time, order_id);
CREATE INDEX orders_by_account ON orders (account_id, create_time, order_id);
CREATE UNIQUE INDEX orders_by_unique_po ON orders (account_id, unique_po);
CREATE INDEX orders_by_po ON orders (po_search_key, account_id, create_time, order_id);
CREATE INDEX orders_by_account_and_po ON orders (account_id, po_search_key);
CREATE INDEX orders_by_update_time ON orders (update_time, order_id);
CREATE INDEX orders_by_account_and_update_time ON orders (account_id, update_time, order_id);
CREATE INDEX orders_by_state ON orders (state, create_time, order_id);
CREATE INDEX orders_by_status ON orders (status, create_time, order_id);
-- The cost of a customer's list does not grow with the orders of other accounts.
CREATE INDEX orders_by_account_and_state ON orders (account_id, state, create_time, order_id);
CREATE INDEX orders_by_account_and_status ON orders (account_id, status, create_time, order_id);
-- Few orders need a person.
CREATE INDEX orders_with_open_exceptions ON orders (create_time, order_id) WHERE open_exceptions > 0;
CREATE INDEX orders_with_open_exceptions_by_account ON orders (account_id, create_time, order_id)
    WHERE open_exceptions > 0;
-- What the ERP is to invoice is a part of all orders.
CREATE INDEX orders_to_invoice ON orders (create_time, order_id) WHERE to_invoice_lines > 0;
CREATE INDEX orders_to_invoice_by_account ON orders (account_id, create_time, order_id) WHERE to_invoice_lines > 0;

-- Lines with the counters of their units.
CREATE TABLE order_lines (
    order_id TEXT NOT NULL,
    line_number BIGINT NOT NULL CHECK (line_number BETWEEN 1 AND 5000),
    -- Account and creation time of the order, so that its lines are found by SKU in the order of a list.
    account_id TEXT NOT NULL,
    order_time BIGINT NOT NULL,
    sku TEXT NOT NULL,
    name TEXT NOT NULL,
    uom TEXT NOT NULL,
    uom_quantity BIGINT NOT NULL CHECK (uom_quantity >= 0),
    decimal_quantity TEXT,
    unit_price_minor BIGINT NOT NULL CHECK (unit_price_minor >= 0),
    expected_unit_price_minor BIGINT CHECK (expected_unit_price_minor >= 0),
    discount_basis_points BIGINT NOT NULL CHECK (discount_basis_points BETWEEN 0 AND 10000),
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
    item_kind TEXT NOT NULL CHECK (item_kind IN ('GOODS', 'SERVICE')),
    handling_class TEXT NOT NULL,
    promised_ship_time BIGINT,
    promised_delivery_time BIGINT,
    promise_basis TEXT NOT NULL,
    promise_reason TEXT NOT NULL,
    promise_supply_time BIGINT,
    promise_source TEXT NOT NULL,
    promise_node_ids TEXT NOT NULL,
    -- Estimates of its packages, encoded; NULL when carriers gave none.
    carrier_estimates BYTEA,
    carrier_delivery_time BIGINT,
    backorder_expect_time BIGINT,
    open_holds BIGINT NOT NULL CHECK (open_holds >= 0),
    ship_to_group BIGINT,
    split_of BIGINT,
    substitutes BIGINT,
    reservation_version BIGINT NOT NULL CHECK (reservation_version >= 0),
    inventory_requested BIGINT NOT NULL CHECK (inventory_requested >= 0),
    inventory_backordered BIGINT NOT NULL CHECK (inventory_backordered >= 0),
    inventory_released BIGINT NOT NULL CHECK (inventory_released >= 0),
    ordered BIGINT NOT NULL CHECK (ordered > 0),
    cancelled BIGINT NOT NULL CHECK (cancelled >= 0 AND cancelled <= ordered),
    unallocated BIGINT NOT NULL CHECK (unallocated >= 0),
    backordered BIGINT NOT NULL CHECK (backordered >= 0),
    reserved BIGINT NOT NULL CHECK (reserved >= 0),
    released BIGINT NOT NULL CHECK (released >= 0),
    cancel_requested BIGINT NOT NULL CHECK (cancel_requested BETWEEN 0 AND released),
    picked BIGINT NOT NULL CHECK (picked >= 0),
    shipped BIGINT NOT NULL CHECK (shipped >= 0),
    delivered BIGINT NOT NULL CHECK (delivered >= 0 AND delivered <= shipped),
    delivered_early BIGINT NOT NULL CHECK (delivered_early >= 0),
    replaced_early BIGINT NOT NULL CHECK (replaced_early >= 0),
    short BIGINT NOT NULL CHECK (short >= 0),
    returned_by_nodes BIGINT NOT NULL CHECK (returned_by_nodes >= 0),
    over_shipped BIGINT NOT NULL CHECK (over_shipped >= 0),
    invoice_ready BIGINT NOT NULL CHECK (invoice_ready >= 0),
    invoice_ready_minor BIGINT NOT NULL CHECK (invoice_ready_minor >= 0),
    creditable BIGINT NOT NULL CHECK (creditable >= 0),
    credited BIGINT NOT NULL CHECK (credited >= 0),
    credited_minor BIGINT NOT NULL CHECK (credited_minor >= 0),
    invoiced BIGINT NOT NULL CHECK (invoiced >= 0),
    invoiced_minor BIGINT NOT NULL CHECK (invoiced_minor >= 0),
    credit_posted BIGINT NOT NULL CHECK (credit_posted >= 0),
    credit_posted_minor BIGINT NOT NULL CHECK (credit_posted_minor >= 0),
    invoice_lines BIGINT NOT NULL CHECK (invoice_lines >= 0),
    return_authorized BIGINT NOT NULL CHECK (return_authorized >= 0),
    return_received BIGINT NOT NULL CHECK (return_received >= 0 AND return_received <= shipped),
    -- What the customer added in its own words, encoded; NULL for most.
    own_fields BYTEA,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, line_number),
    CHECK (uom_quantity > 0 OR decimal_quantity IS NOT NULL),
    CHECK (ordered + over_shipped = cancelled + unallocated + backordered + reserved + released + shipped),
    CHECK (invoice_ready - credited BETWEEN 0 AND shipped),
    CHECK (invoice_ready_minor - credited_minor BETWEEN 0 AND amount_minor)
);
-- Reserved units wait for something: few orders have any.
CREATE INDEX order_lines_reserved ON order_lines (order_id) WHERE reserved > 0;
CREATE INDEX order_lines_by_sku ON order_lines (sku, account_id, order_time, order_id);

-- Tracking numbers of the packages of orders, as they are compared.
CREATE TABLE tracking_numbers (
    tracking_number TEXT NOT NULL,
    order_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tracking_number, order_id)
);

-- The places that an order goes to, when it goes to more than one. `ship_to` is an encoded ship-to.
CREATE TABLE order_ship_to_groups (
    order_id TEXT NOT NULL,
    group_number BIGINT NOT NULL,
    ship_to BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, group_number)
);

-- Changes of orders. `change` is the encoded change, `unanswered` lists the ship-to groups that nodes have not answered for, 0 for an order that has none.
CREATE TABLE order_changes (
    order_id TEXT NOT NULL,
    change_number BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    hold_number BIGINT NOT NULL,
    unanswered TEXT NOT NULL,
    change BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, change_number)
);

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
    cancel_requested BIGINT NOT NULL,
    picked BIGINT NOT NULL,
    shipped BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    short BIGINT NOT NULL,
    over_shipped BIGINT NOT NULL,
    invoice_ready BIGINT NOT NULL,
    return_authorized BIGINT NOT NULL,
    return_received BIGINT NOT NULL,
    credited BIGINT NOT NULL,
    invoiced BIGINT NOT NULL,
    credit_posted BIGINT NOT NULL,
    to_invoice BIGINT NOT NULL,
    to_credit BIGINT NOT NULL,
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
    -- The account whose credit check placed it, until it is released.
    credit_account_id TEXT,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, hold_number)
);
CREATE INDEX order_holds_by_credit_account ON order_holds (credit_account_id);

-- Units that became ready to invoice, a row each time. `readiness` is the encoded message with the lines.
CREATE TABLE invoice_readiness (
    order_id TEXT NOT NULL,
    readiness_number BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    ready_time BIGINT NOT NULL,
    readiness BYTEA NOT NULL,
    -- The account, while its recorded receivables do not include the amount.
    unposted_account_id TEXT,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, readiness_number)
);
CREATE INDEX invoice_readiness_by_time ON invoice_readiness (ready_time, order_id, readiness_number);
CREATE INDEX invoice_readiness_unposted ON invoice_readiness (unposted_account_id);
CREATE INDEX invoice_readiness_by_account ON invoice_readiness (account_id, ready_time, order_id, readiness_number);

-- Credits that were proposed, a row each. `credit` is the encoded message with the lines.
CREATE TABLE proposed_credits (
    order_id TEXT NOT NULL,
    credit_number BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    propose_time BIGINT NOT NULL,
    credit BYTEA NOT NULL,
    unposted_account_id TEXT,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, credit_number)
);
CREATE INDEX proposed_credits_by_time ON proposed_credits (propose_time, order_id, credit_number);
CREATE INDEX proposed_credits_unposted ON proposed_credits (unposted_account_id);
CREATE INDEX proposed_credits_by_account ON proposed_credits (account_id, propose_time, order_id, credit_number);

-- Numbers of the ERP's invoices and credit memos. `first` is the encoded message that was recorded first, without lines.
CREATE TABLE invoice_documents (
    account_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('INVOICE', 'CREDIT_MEMO')),
    invoice_number TEXT NOT NULL,
    first BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (account_id, kind, invoice_number)
);

-- Their parts for each order. `invoice` is the encoded message with the lines.
CREATE TABLE invoices (
    account_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('INVOICE', 'CREDIT_MEMO')),
    invoice_number TEXT NOT NULL,
    order_id TEXT NOT NULL,
    record_time BIGINT NOT NULL,
    invoice BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (account_id, kind, invoice_number, order_id)
);
CREATE INDEX invoices_by_time ON invoices (record_time, order_id, kind, invoice_number);
CREATE INDEX invoices_by_account ON invoices (account_id, record_time, order_id, kind, invoice_number);
CREATE INDEX invoices_by_order ON invoices (order_id, record_time, kind, invoice_number);
CREATE INDEX invoices_by_number ON invoices (invoice_number, account_id);

-- Shipments as last reported, of orders whose units become ready to invoice later than they are reported. `evidence` is encoded.
CREATE TABLE order_shipments (
    order_id TEXT NOT NULL,
    shipment_id TEXT NOT NULL,
    shipment_version BIGINT NOT NULL,
    evidence BYTEA NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, shipment_id)
);

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
