-- What is sold. `units` are the units beside the base unit: `CS=12/1 PL=480/1`, or with decimals, multiple and least quantity
-- `KG=1000/1:3:0:1`.
CREATE TABLE items (
    sku TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    pack TEXT NOT NULL,
    category TEXT NOT NULL,
    -- A service has no row in `stock`; its handling class has no meaning.
    kind TEXT NOT NULL CHECK (kind IN ('GOODS', 'SERVICE')),
    handling_class TEXT NOT NULL CHECK (handling_class IN ('AMBIENT', 'CHILLED', 'FROZEN', 'HAZARDOUS')),
    base_uom TEXT NOT NULL,
    units TEXT NOT NULL,
    list_price_minor BIGINT CHECK (list_price_minor >= 0),
    list_price_currency TEXT,
    state TEXT NOT NULL CHECK (state IN ('ACTIVE', 'DISCONTINUED')),
    base_decimals BIGINT NOT NULL CHECK (base_decimals BETWEEN 0 AND 6),
    order_multiple BIGINT NOT NULL CHECK (order_multiple >= 0),
    minimum_quantity BIGINT NOT NULL CHECK (minimum_quantity >= 0),
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CHECK ((list_price_minor IS NULL) = (list_price_currency IS NULL))
);

-- Where stock is counted. `count_time` is that of the newest count that was applied.
CREATE TABLE locations (
    location_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    count_time BIGINT,
    create_time BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- Counters of an item over all locations. `located_shortfall` is the sum of its levels' shortfalls. `available_at` repeats the
-- units of its levels that are not allocated, `nod_a:10;nod_b:5`, and the last two divide the reserved and backordered units by
-- the country where they go, `DE:10;US:5`: what can be promised to a country follows from this row and that of `reach`.
-- `expected_receipts` is how many scheduled receipts of the item count as supply; `receipt_changes` counts the changes of all of
-- them, so that two replicas do not date backorders by different ones.
CREATE TABLE stock (
    sku TEXT PRIMARY KEY,
    on_hand BIGINT NOT NULL CHECK (on_hand >= 0),
    reserved BIGINT NOT NULL CHECK (reserved >= 0),
    allocated BIGINT NOT NULL CHECK (allocated >= 0),
    backordered BIGINT NOT NULL CHECK (backordered >= 0),
    handling_class TEXT NOT NULL,
    available_at TEXT NOT NULL,
    reserved_for TEXT NOT NULL,
    backordered_for TEXT NOT NULL,
    shortfall BIGINT NOT NULL,
    located_shortfall BIGINT NOT NULL CHECK (located_shortfall >= 0),
    last_backorder_sequence BIGINT NOT NULL,
    expected_receipts BIGINT NOT NULL DEFAULT 0 CHECK (expected_receipts >= 0),
    receipt_changes BIGINT NOT NULL DEFAULT 0,
    last_movement_number BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CHECK (shortfall >= located_shortfall AND shortfall >= reserved + allocated - on_hand)
);

-- Where the units of a location can be sent: one row, `nod_a|3|NODE_STATE_ACTIVE|AMBIENT,CHILLED|DE,AT;nod_b|…`, with the
-- version, state, handling classes and countries of each node that is known.
CREATE TABLE reach (
    name TEXT PRIMARY KEY,
    nodes TEXT NOT NULL,
    version BIGINT NOT NULL
);

-- Counters of an item at a location. `count_time` is when it was last counted there.
CREATE TABLE levels (
    sku TEXT NOT NULL,
    location_id TEXT NOT NULL,
    on_hand BIGINT NOT NULL CHECK (on_hand >= 0),
    allocated BIGINT NOT NULL CHECK (allocated >= 0),
    shortfall BIGINT NOT NULL,
    count_time BIGINT,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (sku, location_id),
    CHECK (shortfall = CASE WHEN allocated > on_hand THEN allocated - on_hand ELSE 0 END)
);

-- Units requested for one order line. Backorders are filled by `backorder_rank`, then by the rules, then by
-- `backorder_sequence`. Units wait since `backorder_time`, and scheduled receipts are expected to fill them at
-- `backorder_expect_time`. For the lookups below, `backordered_sku` is the item while units are backordered, `reserved_sku`
-- while any are reserved or allocated.
CREATE TABLE reservations (
    order_id TEXT NOT NULL,
    line_number BIGINT NOT NULL,
    account_id TEXT NOT NULL,
    sku TEXT NOT NULL,
    ship_to_country TEXT NOT NULL,
    requested BIGINT NOT NULL CHECK (requested >= 0),
    reserved BIGINT NOT NULL CHECK (reserved >= 0),
    allocated BIGINT NOT NULL CHECK (allocated >= 0),
    consumed BIGINT NOT NULL CHECK (consumed >= 0),
    backordered BIGINT NOT NULL CHECK (backordered >= 0),
    released BIGINT NOT NULL CHECK (released >= 0),
    consumed_released BIGINT NOT NULL DEFAULT 0 CHECK (consumed_released BETWEEN 0 AND consumed),
    consumed_beyond BIGINT NOT NULL DEFAULT 0 CHECK (consumed_beyond >= 0),
    shortage_policy TEXT NOT NULL CHECK (shortage_policy IN ('REFUSE', 'BACKORDER')),
    expire_after BIGINT CHECK (expire_after > 0),
    expire_time BIGINT,
    backorder_rank BIGINT NOT NULL CHECK (backorder_rank IN (0, 1)),
    backorder_sequence BIGINT,
    backorder_time BIGINT,
    backorder_expect_time BIGINT,
    priority BIGINT NOT NULL DEFAULT 5 CHECK (priority BETWEEN 0 AND 9),
    promise_time BIGINT,
    backordered_sku TEXT,
    reserved_sku TEXT,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, line_number),
    CHECK (requested = reserved + allocated + consumed + backordered + released),
    CHECK ((backordered > 0) = (backorder_sequence IS NOT NULL))
);
CREATE INDEX reservations_backordered ON reservations (backordered_sku) WHERE backordered_sku IS NOT NULL;
CREATE INDEX reservations_waiting ON reservations (backorder_time, order_id, line_number)
    WHERE backorder_time IS NOT NULL;
CREATE INDEX reservations_waiting_of_item ON reservations (backordered_sku, backorder_time, order_id, line_number)
    WHERE backorder_time IS NOT NULL;
CREATE INDEX reservations_waiting_of_account ON reservations (account_id, backorder_time, order_id, line_number)
    WHERE backorder_time IS NOT NULL;
CREATE INDEX reservations_reserved ON reservations (reserved_sku) WHERE reserved_sku IS NOT NULL;

-- Who gets units that become free: one row, none before the first change. `criteria` as `PRIORITY,AGE`.
CREATE TABLE backorder_rules (
    name TEXT PRIMARY KEY,
    criteria TEXT NOT NULL,
    max_account_share_percent BIGINT CHECK (max_account_share_percent BETWEEN 1 AND 100),
    hold_for_release BIGINT NOT NULL CHECK (hold_for_release IN (0, 1)),
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- Units that are to come in, or came in under a number that may still be scheduled. `open_time` repeats the expected time while
-- any still are; `expected_sku` is the item while they count as supply, which they do until that time; for lookup.
CREATE TABLE scheduled_receipts (
    sku TEXT NOT NULL,
    location_id TEXT NOT NULL,
    receipt_number TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity >= 0),
    received BIGINT NOT NULL CHECK (received >= 0),
    expect_time BIGINT NOT NULL,
    open_time BIGINT,
    expected_sku TEXT,
    create_time BIGINT NOT NULL,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (sku, location_id, receipt_number)
);
CREATE INDEX scheduled_receipts_expected ON scheduled_receipts (expected_sku, expect_time)
    WHERE expected_sku IS NOT NULL;
-- Those that count as supply after their time, which a task ends.
CREATE INDEX scheduled_receipts_by_time ON scheduled_receipts (expect_time)
    WHERE expected_sku IS NOT NULL;
CREATE INDEX scheduled_receipts_open ON scheduled_receipts (open_time, sku, location_id, receipt_number)
    WHERE open_time IS NOT NULL;
CREATE INDEX scheduled_receipts_of_item ON scheduled_receipts (sku, open_time, location_id, receipt_number)
    WHERE open_time IS NOT NULL;
CREATE INDEX scheduled_receipts_at_location ON scheduled_receipts (location_id, open_time, sku, receipt_number)
    WHERE open_time IS NOT NULL;

-- Units of a reservation at a location. `open_stock_key` is `sku@location` while units are open, for lookup. `not_found` are those
-- that the location did not find and that came off the units on hand, at `not_found_time`.
CREATE TABLE allocations (
    order_id TEXT NOT NULL,
    line_number BIGINT NOT NULL,
    location_id TEXT NOT NULL,
    sku TEXT NOT NULL,
    open_units BIGINT NOT NULL CHECK (open_units >= 0),
    consumed BIGINT NOT NULL CHECK (consumed >= 0),
    released BIGINT NOT NULL CHECK (released >= 0),
    not_found BIGINT NOT NULL CHECK (not_found >= 0),
    not_found_time BIGINT,
    open_stock_key TEXT,
    update_time BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (order_id, line_number, location_id)
);
CREATE INDEX allocations_open ON allocations (open_stock_key) WHERE open_stock_key IS NOT NULL;

-- The first answer to an allocation key.
CREATE TABLE allocation_keys (
    allocation_key TEXT PRIMARY KEY,
    order_id TEXT NOT NULL,
    answer BYTEA NOT NULL,
    create_time BIGINT NOT NULL,
    version BIGINT NOT NULL
);

-- Units that shipments consumed, as calls and as shipped events report them. The larger number counts.
CREATE TABLE consumptions (
    shipment_id TEXT NOT NULL,
    line_number BIGINT NOT NULL,
    order_id TEXT NOT NULL,
    called_units BIGINT NOT NULL CHECK (called_units >= 0),
    shipped_units BIGINT NOT NULL CHECK (shipped_units >= 0),
    version BIGINT NOT NULL,
    PRIMARY KEY (shipment_id, line_number)
);

-- How many holds are open on an order.
CREATE TABLE open_holds (
    order_id TEXT PRIMARY KEY,
    open_holds BIGINT NOT NULL CHECK (open_holds >= 0),
    version BIGINT NOT NULL
);

-- The ledger, append-only: the sums of its deltas are the counters of `stock` and `levels`. `stock_day` is
-- `sku@location@day` when units on hand changed at a location or such a change is taken back, the day being that of
-- `occur_time`; for lookup. `covered_delta` is the part of a reported change that a later count had already; once that count is
-- taken back, another movement, which names this one in `uncovers`, changes the units. Without an account the movement is of no order. There is no index by account: every reservation
-- would write it, for the few callers that see some accounts only.
CREATE TABLE movements (
    sku TEXT NOT NULL,
    movement_number BIGINT NOT NULL,
    location_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('RECEIVED', 'ADJUSTED', 'COUNTED', 'RESERVED', 'RELEASED', 'ALLOCATED',
                                       'DEALLOCATED', 'SHIPPED', 'RESTOCKED')),
    on_hand_delta BIGINT NOT NULL,
    covered_delta BIGINT NOT NULL DEFAULT 0,
    reserved_delta BIGINT NOT NULL,
    allocated_delta BIGINT NOT NULL,
    reference TEXT NOT NULL,
    account_id TEXT,
    note TEXT NOT NULL,
    occur_time BIGINT NOT NULL,
    record_time BIGINT NOT NULL,
    stock_day TEXT,
    retracts BIGINT,
    uncovers BIGINT,
    version BIGINT NOT NULL,
    PRIMARY KEY (sku, movement_number)
);
CREATE INDEX movements_by_time ON movements (record_time, sku, movement_number);
CREATE INDEX movements_by_location ON movements (location_id, record_time, sku, movement_number)
    WHERE location_id <> '';
CREATE INDEX movements_by_item_and_location ON movements (sku, location_id, movement_number)
    WHERE location_id <> '';
CREATE INDEX movements_by_reference ON movements (reference, record_time, sku, movement_number)
    WHERE reference <> '';
CREATE INDEX movements_by_day ON movements (stock_day) WHERE stock_day IS NOT NULL;
CREATE INDEX movements_by_retracted ON movements (sku, retracts) WHERE retracts IS NOT NULL;
