CREATE TABLE nodes (
    node_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    partner_id TEXT NOT NULL,
    country TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    handling_classes TEXT NOT NULL,
    service_areas TEXT NOT NULL,
    accept_within_micros BIGINT CHECK (accept_within_micros > 0),
    state TEXT NOT NULL CHECK (state IN ('ACTIVE', 'PAUSED')),
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- Units that an order released under one number, until they are at nodes, returned to the order, or cancelled. `holds` are
-- the open holds of the order with the lines that each blocks, all when there are none: `1:;2:3,4`.
CREATE TABLE releases (
    order_id TEXT NOT NULL,
    release_number BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    customer_po TEXT NOT NULL,
    ship_to BYTEA NOT NULL,
    requested_ship_time BIGINT,
    routing_state TEXT NOT NULL CHECK (routing_state IN ('PENDING', 'WAITING', 'SETTLED')),
    attempt BIGINT NOT NULL CHECK (attempt >= 1),
    plan_number BIGINT NOT NULL CHECK (plan_number >= 1),
    decision_id TEXT,
    exclusions TEXT NOT NULL,
    holds TEXT NOT NULL,
    unrouted_time BIGINT NOT NULL,
    unassigned_time BIGINT,
    cancel_time BIGINT,
    cancel_reason TEXT NOT NULL,
    create_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, release_number)
);
CREATE INDEX releases_by_routing_state ON releases (routing_state);
CREATE INDEX releases_by_decision ON releases (decision_id) WHERE decision_id IS NOT NULL;

CREATE TABLE release_lines (
    order_id TEXT NOT NULL,
    release_number BIGINT NOT NULL,
    line_number BIGINT NOT NULL,
    sku TEXT NOT NULL,
    handling_class TEXT NOT NULL CHECK (handling_class IN ('AMBIENT', 'CHILLED', 'FROZEN', 'HAZARDOUS')),
    quantity BIGINT NOT NULL CHECK (quantity >= 0),
    unrouted BIGINT NOT NULL CHECK (unrouted >= 0),
    planned BIGINT NOT NULL CHECK (planned >= 0),
    assigned BIGINT NOT NULL CHECK (assigned >= 0),
    returned_to_order BIGINT NOT NULL CHECK (returned_to_order >= 0),
    cancelled BIGINT NOT NULL CHECK (cancelled >= 0),
    unrouted_sku TEXT,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, release_number, line_number),
    CHECK (quantity = unrouted + planned + assigned + returned_to_order + cancelled)
);
CREATE INDEX release_lines_by_unrouted_sku ON release_lines (unrouted_sku) WHERE unrouted_sku IS NOT NULL;

CREATE TABLE routing_decisions (
    decision_id TEXT NOT NULL PRIMARY KEY,
    order_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    release_number BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('PLANNED', 'SETTLED')),
    allocation_key TEXT NOT NULL,
    body BYTEA NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX routing_decisions_by_order ON routing_decisions (order_id, decision_id);

CREATE TABLE fulfillment_orders (
    fulfillment_order_id TEXT NOT NULL PRIMARY KEY,
    order_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    customer_po TEXT NOT NULL,
    node_id TEXT NOT NULL,
    partner_id TEXT NOT NULL,
    release_number BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    execution_state TEXT NOT NULL
        CHECK (execution_state IN ('OPEN', 'IN_PROGRESS', 'COMPLETED', 'INCOMPLETE', 'CANCELLED')),
    request_state TEXT NOT NULL
        CHECK (request_state IN ('SUBMITTED', 'ACCEPTED', 'REJECTED', 'TIMED_OUT', 'CANCELLATION_REQUESTED',
                                 'CANCELLATION_ACCEPTED', 'CANCELLATION_REJECTED')),
    ship_to BYTEA NOT NULL,
    requested_ship_time BIGINT,
    reason TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    accept_time BIGINT,
    reject_time BIGINT,
    cancel_time BIGINT,
    late_acceptance TEXT NOT NULL CHECK (late_acceptance IN ('NONE', 'OPEN', 'RESOLVED')),
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX fulfillment_orders_by_order ON fulfillment_orders (order_id, fulfillment_order_id);
-- A warehouse polls its open fulfillment orders, and those that it has to answer: few of all.
CREATE INDEX fulfillment_orders_by_partner_and_execution_state
    ON fulfillment_orders (partner_id, execution_state, fulfillment_order_id);
CREATE INDEX fulfillment_orders_by_partner_and_request_state
    ON fulfillment_orders (partner_id, request_state, fulfillment_order_id);
CREATE INDEX fulfillment_orders_by_node_and_execution_state
    ON fulfillment_orders (node_id, execution_state, fulfillment_order_id);
CREATE INDEX fulfillment_orders_by_node_and_request_state
    ON fulfillment_orders (node_id, request_state, fulfillment_order_id);
CREATE INDEX fulfillment_orders_by_execution_state ON fulfillment_orders (execution_state, fulfillment_order_id);
CREATE INDEX fulfillment_orders_by_request_state ON fulfillment_orders (request_state, fulfillment_order_id);
CREATE INDEX fulfillment_orders_by_account_and_execution_state
    ON fulfillment_orders (account_id, execution_state, fulfillment_order_id);

-- Reported facts are never refused, so a node may pick, pack or ship more than the quantity.
CREATE TABLE fulfillment_lines (
    fulfillment_order_id TEXT NOT NULL,
    line_number BIGINT NOT NULL,
    sku TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity >= 1),
    picked BIGINT NOT NULL CHECK (picked >= 0),
    packed BIGINT NOT NULL CHECK (packed >= 0),
    shipped BIGINT NOT NULL CHECK (shipped >= 0),
    short BIGINT NOT NULL CHECK (short >= 0),
    cancelled BIGINT NOT NULL CHECK (cancelled >= 0),
    withdrawn BIGINT NOT NULL CHECK (withdrawn >= 0),
    pending_deallocation BIGINT NOT NULL CHECK (pending_deallocation >= 0),
    version BIGINT NOT NULL,
    PRIMARY KEY (fulfillment_order_id, line_number),
    CHECK (short + cancelled + withdrawn <= quantity),
    CHECK (shipped + short + cancelled + withdrawn <= quantity OR short + cancelled + withdrawn = 0),
    CHECK (pending_deallocation <= short + withdrawn)
);
CREATE INDEX fulfillment_lines_to_deallocate ON fulfillment_lines (fulfillment_order_id)
    WHERE pending_deallocation > 0;

CREATE TABLE shipments (
    shipment_id TEXT NOT NULL PRIMARY KEY,
    fulfillment_order_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    node_id TEXT NOT NULL,
    partner_id TEXT NOT NULL,
    shipment_reference TEXT NOT NULL,
    carrier_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('LABELLED', 'SHIPPED', 'PARTIALLY_DELIVERED', 'DELIVERED', 'VOIDED')),
    ship_time BIGINT,
    deliver_time BIGINT,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE UNIQUE INDEX shipments_by_reference ON shipments (fulfillment_order_id, shipment_reference);
CREATE INDEX shipments_by_order ON shipments (order_id, create_time, shipment_id);
-- A carrier looks for the shipments under way, which are few of all.
CREATE INDEX shipments_by_carrier_and_state ON shipments (carrier_id, state, create_time, shipment_id);
CREATE INDEX shipments_by_partner_and_state ON shipments (partner_id, state, create_time, shipment_id);
CREATE INDEX shipments_by_account ON shipments (account_id, create_time, shipment_id);
CREATE INDEX shipments_by_account_and_state ON shipments (account_id, state, create_time, shipment_id);
CREATE INDEX shipments_by_state ON shipments (state, create_time, shipment_id);
CREATE INDEX shipments_by_time ON shipments (create_time, shipment_id);

CREATE TABLE packages (
    package_id TEXT NOT NULL PRIMARY KEY,
    shipment_id TEXT NOT NULL,
    fulfillment_order_id TEXT NOT NULL,
    tracking_number TEXT NOT NULL,
    sscc TEXT NOT NULL,
    contents BYTEA NOT NULL,
    departure TEXT NOT NULL CHECK (departure IN ('NONE', 'REPORTED', 'INFERRED')),
    ship_time BIGINT,
    status TEXT NOT NULL,
    status_time BIGINT,
    estimated_delivery_time BIGINT,
    deliver_time BIGINT,
    proof BYTEA,
    create_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CHECK ((departure = 'NONE') = (ship_time IS NULL))
);
CREATE INDEX packages_by_shipment ON packages (shipment_id, package_id);
CREATE INDEX packages_by_fulfillment_order ON packages (fulfillment_order_id, package_id);
CREATE INDEX packages_by_tracking_number ON packages (tracking_number, package_id);

-- One row for all reports and packages with a tracking number. Whoever adds one of them, or names the carrier of a package, writes
-- it, so that of two replicas neither misses the other's.
CREATE TABLE tracking_numbers (
    tracking_number TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);

-- Also of packages that are not reported yet. The reporter is part of the key, so that no report replaces one of another
-- reporter; it is empty for the distributor.
CREATE TABLE milestones (
    tracking_number TEXT NOT NULL,
    reporter_id TEXT NOT NULL,
    code TEXT NOT NULL,
    occur_time BIGINT NOT NULL,
    raw_code TEXT NOT NULL,
    occur_offset_minutes BIGINT NOT NULL,
    place TEXT NOT NULL,
    estimated_delivery_time BIGINT,
    carrier_id TEXT NOT NULL,
    record_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tracking_number, reporter_id, code, occur_time, raw_code)
);

CREATE TABLE proofs (
    tracking_number TEXT NOT NULL,
    reporter_id TEXT NOT NULL,
    sign_time BIGINT NOT NULL,
    proof BYTEA NOT NULL,
    carrier_id TEXT NOT NULL,
    record_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tracking_number, reporter_id, sign_time)
);
