-- Locations that ship. `working_days`, `holidays` and `lanes` are encoded lists.
CREATE TABLE nodes (
    node_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    partner_id TEXT NOT NULL,
    country TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    handling_classes TEXT NOT NULL,
    service_areas TEXT NOT NULL,
    accept_within_micros BIGINT CHECK (accept_within_micros > 0),
    handling_micros BIGINT NOT NULL CHECK (handling_micros >= 0),
    cutoff_time TEXT,
    working_days BYTEA NOT NULL,
    holidays BYTEA NOT NULL,
    lanes BYTEA NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ACTIVE', 'PAUSED')),
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- Units that an order released under one number, until they are at nodes, returned to the order, or cancelled. `holds` are
-- the open holds of the order with their reason and the lines that each blocks, all when there are none: `1:2:;2:4:3,4`.
CREATE TABLE releases (
    order_id TEXT NOT NULL,
    release_number BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    customer_po TEXT NOT NULL,
    ship_to BYTEA NOT NULL,
    ship_to_group BIGINT NOT NULL,
    ship_to_change_number BIGINT NOT NULL,
    ship_to_attempt BIGINT NOT NULL,
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
    to_cancel BIGINT NOT NULL CHECK (to_cancel >= 0 AND to_cancel <= planned),
    assigned BIGINT NOT NULL CHECK (assigned >= 0),
    returned_to_order BIGINT NOT NULL CHECK (returned_to_order >= 0),
    returned_accounted BIGINT NOT NULL CHECK (returned_accounted >= 0 AND returned_accounted <= returned_to_order),
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

-- `size_bytes` is about how long its lines are when they are encoded.
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
    ship_to_group BIGINT NOT NULL,
    ship_to_change_number BIGINT NOT NULL,
    ship_to_change BYTEA,
    requested_ship_time BIGINT,
    reason TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    accept_time BIGINT,
    reject_time BIGINT,
    cancel_time BIGINT,
    late_acceptance TEXT NOT NULL CHECK (late_acceptance IN ('NONE', 'OPEN', 'RESOLVED')),
    holds TEXT NOT NULL,
    size_bytes BIGINT NOT NULL DEFAULT 0,
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
-- Few nodes are asked for another destination.
CREATE INDEX fulfillment_orders_by_ship_to_change ON fulfillment_orders (fulfillment_order_id)
    WHERE ship_to_change IS NOT NULL;
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
    written_off BIGINT NOT NULL CHECK (written_off >= 0),
    short BIGINT NOT NULL CHECK (short >= 0),
    cancelled BIGINT NOT NULL CHECK (cancelled >= 0),
    withdrawn BIGINT NOT NULL CHECK (withdrawn >= 0),
    pending_deallocation BIGINT NOT NULL CHECK (pending_deallocation >= 0),
    superseded BIGINT NOT NULL CHECK (superseded >= 0),
    cancel_requested BIGINT NOT NULL CHECK (cancel_requested >= 0),
    restored BIGINT NOT NULL CHECK (restored >= 0),
    cancel_pending BIGINT NOT NULL CHECK (cancel_pending >= 0),
    freed BIGINT NOT NULL CHECK (freed >= 0),
    redirecting BIGINT NOT NULL CHECK (redirecting >= 0),
    doubled BIGINT NOT NULL CHECK (doubled >= 0),
    beyond BIGINT NOT NULL CHECK (beyond >= 0),
    lost BIGINT NOT NULL CHECK (lost >= 0),
    version BIGINT NOT NULL,
    PRIMARY KEY (fulfillment_order_id, line_number),
    CHECK (short + cancelled + withdrawn <= quantity),
    CHECK (shipped + short + cancelled + withdrawn <= quantity OR short + cancelled + withdrawn = 0),
    CHECK (pending_deallocation <= short + withdrawn),
    CHECK (cancel_pending <= pending_deallocation)
);
CREATE INDEX fulfillment_lines_to_deallocate ON fulfillment_lines (fulfillment_order_id)
    WHERE pending_deallocation > 0;

-- Changes of the destination of released units. `nodes_asked` have not answered; `settled` is what is known by then.
CREATE TABLE ship_to_changes (
    order_id TEXT NOT NULL,
    change_number BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    ship_to_group BIGINT NOT NULL,
    ship_to BYTEA NOT NULL,
    nodes_asked BIGINT NOT NULL CHECK (nodes_asked >= 0),
    settled BYTEA NOT NULL,
    create_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, change_number, ship_to_group)
);

-- `size_bytes` is about how long its packages are when they are encoded.
CREATE TABLE shipments (
    shipment_id TEXT NOT NULL PRIMARY KEY,
    fulfillment_order_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    node_id TEXT NOT NULL,
    partner_id TEXT NOT NULL,
    shipment_reference TEXT NOT NULL,
    ship_to_group BIGINT NOT NULL,
    ship_to BYTEA,
    carrier_id TEXT NOT NULL,
    carrier_time BIGINT,
    state TEXT NOT NULL CHECK (state IN ('LABELLED', 'SHIPPED', 'PARTIALLY_DELIVERED', 'DELIVERED', 'VOIDED',
                                          'WRITTEN_OFF')),
    contents TEXT NOT NULL CHECK (contents IN ('AGREE', 'DIFFER')),
    ship_time BIGINT,
    deliver_time BIGINT,
    size_bytes BIGINT NOT NULL DEFAULT 0,
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
    package_key TEXT NOT NULL,
    sscc TEXT NOT NULL,
    contents BYTEA NOT NULL,
    ship_to BYTEA,
    departure TEXT NOT NULL CHECK (departure IN ('NONE', 'REPORTED', 'INFERRED')),
    label_time BIGINT,
    report_time BIGINT,
    ship_time BIGINT,
    status TEXT NOT NULL,
    status_time BIGINT,
    estimated_delivery_time BIGINT,
    deliver_time BIGINT,
    proof BYTEA,
    problem TEXT,
    report_due BIGINT,
    void_time BIGINT,
    remedy TEXT CHECK (remedy IN ('REPLACE', 'CANCEL')),
    doubts BIGINT NOT NULL,
    create_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CHECK ((departure = 'NONE') = (ship_time IS NULL))
);
CREATE INDEX packages_by_shipment ON packages (shipment_id, package_id);
CREATE INDEX packages_by_fulfillment_order ON packages (fulfillment_order_id, package_id);
CREATE INDEX packages_by_key ON packages (package_key, package_id);
CREATE INDEX packages_by_sscc ON packages (sscc, package_id) WHERE sscc <> '';

-- Few packages have a problem.
CREATE INDEX packages_by_problem ON packages (problem, shipment_id) WHERE problem IS NOT NULL;
-- Those under way.
CREATE INDEX packages_by_report_due ON packages (report_due) WHERE report_due IS NOT NULL;

-- One row for all reports and packages with a key. Whoever adds or retracts a report, adds a package, or names the carrier of one,
-- writes it, so that of two replicas neither misses the other's.
CREATE TABLE package_keys (
    package_key TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);

-- Milestones and proofs of delivery, also of packages that are not reported yet. The id is made from the reporter too, so that no
-- report replaces one of another reporter.
CREATE TABLE tracking_reports (
    package_key TEXT NOT NULL,
    report_id TEXT NOT NULL,
    reporter_id TEXT NOT NULL,
    carrier_id TEXT NOT NULL,
    code TEXT NOT NULL,
    occur_time BIGINT NOT NULL,
    milestone BYTEA NOT NULL,
    proof BYTEA,
    doubt TEXT NOT NULL CHECK (doubt IN ('NONE', 'FUTURE', 'TOO_OLD')),
    retract_time BIGINT,
    retract_reason TEXT NOT NULL,
    record_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (package_key, report_id)
);
CREATE UNIQUE INDEX tracking_reports_by_id ON tracking_reports (report_id);
