//! Checks the databases once every process has ended.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::Context as _;
use store::Db;
use types::SystemClock;
use waybill::compose::{Config, SERVICES, ServiceClients};

use crate::{faults::Tally, timelines};

/// A law of one database, with a query that returns each violation as a text.
struct Law {
    service: &'static str,
    text: &'static str,
    violations: &'static str,
}

const fn law(service: &'static str, text: &'static str, violations: &'static str) -> Law {
    Law { service, text, violations }
}

const LAWS: &[Law] = &[
    law(
        "order",
        "the units of a line add up",
        "SELECT order_id || ' line ' || line_number FROM order_lines \
         WHERE ordered + over_shipped <> cancelled + unallocated + backordered + reserved + released + shipped",
    ),
    law(
        "order",
        "services are neither reserved nor released nor returned, and wait for open goods",
        "SELECT s.order_id || ' line ' || s.line_number FROM order_lines s WHERE s.item_kind = 'SERVICE' \
         AND (s.backordered + s.reserved + s.released + s.over_shipped + s.return_authorized > 0 OR s.shipped > 0 AND \
         EXISTS (SELECT 1 FROM order_lines g WHERE g.order_id = s.order_id AND g.item_kind = 'GOODS' \
         AND g.ship_to_group IS NULL AND g.unallocated + g.backordered + g.reserved + g.released > 0))",
    ),
    law(
        "order",
        "an order counts its open holds",
        "SELECT order_id FROM orders o WHERE open_holds <> \
         (SELECT COUNT(*) FROM order_holds h WHERE h.order_id = o.order_id AND h.release_time IS NULL)",
    ),
    law(
        "order",
        "what an order may invoice is what its lines may",
        "SELECT order_id FROM orders o WHERE invoice_ready_minor <> \
         (SELECT SUM(invoice_ready_minor) FROM order_lines l WHERE l.order_id = o.order_id)",
    ),
    law(
        "order",
        "the sums over ended orders are those of the orders that ended",
        "SELECT o.status || ' ' || o.account_id FROM \
         (SELECT account_id, currency, status, COUNT(*) AS orders, SUM(invoice_ready_minor) AS invoice_ready_minor, \
         SUM((SELECT COUNT(*) FROM order_lines l WHERE l.order_id = e.order_id)) AS lines, \
         SUM((SELECT SUM(shipped) FROM order_lines l WHERE l.order_id = e.order_id)) AS shipped \
         FROM orders e WHERE state NOT IN ('SUBMITTED', 'CONFIRMED') GROUP BY account_id, currency, status) o \
         LEFT JOIN ended_orders s USING (account_id, currency, status) WHERE COALESCE(s.orders, 0) <> o.orders \
         OR s.invoice_ready_minor <> o.invoice_ready_minor OR s.lines <> o.lines OR s.shipped <> o.shipped",
    ),
    law(
        "operations",
        "exceptions are counted",
        "SELECT exception_type || ' ' || state FROM (SELECT exception_type, state, COUNT(*) AS number FROM exceptions \
         GROUP BY exception_type, state) e LEFT JOIN exception_counts c USING (exception_type, state) \
         WHERE COALESCE(c.number, 0) <> e.number",
    ),
    law(
        "inventory",
        "stock is the sum of its ledger",
        "SELECT s.sku FROM stock s LEFT JOIN movements m ON m.sku = s.sku GROUP BY s.sku \
         HAVING COALESCE(SUM(m.on_hand_delta), 0) <> s.on_hand OR COALESCE(SUM(m.reserved_delta), 0) <> s.reserved \
         OR COALESCE(SUM(m.allocated_delta), 0) <> s.allocated OR COUNT(m.sku) <> s.last_movement_number",
    ),
    law(
        "inventory",
        "stock is the sum of its levels",
        "SELECT sku FROM stock s WHERE on_hand <> \
         (SELECT COALESCE(SUM(on_hand), 0) FROM levels l WHERE l.sku = s.sku) OR allocated <> \
         (SELECT COALESCE(SUM(allocated), 0) FROM levels l WHERE l.sku = s.sku)",
    ),
    law(
        "inventory",
        "stock is the sum of its reservations",
        "SELECT sku FROM stock s WHERE reserved <> \
         (SELECT COALESCE(SUM(reserved), 0) FROM reservations r WHERE r.sku = s.sku) OR allocated <> \
         (SELECT COALESCE(SUM(allocated), 0) FROM reservations r WHERE r.sku = s.sku) OR backordered <> \
         (SELECT COALESCE(SUM(backordered), 0) FROM reservations r WHERE r.sku = s.sku)",
    ),
    law(
        "inventory",
        "a reservation is allocated as far as its allocations are open",
        "SELECT r.order_id || ' line ' || r.line_number FROM reservations r WHERE allocated <> \
         (SELECT COALESCE(SUM(open_units), 0) FROM allocations a \
         WHERE a.order_id = r.order_id AND a.line_number = r.line_number)",
    ),
    law(
        "fulfillment",
        "the units of a release line add up",
        "SELECT order_id FROM release_lines WHERE quantity <> unrouted + planned + assigned + returned_to_order + cancelled",
    ),
    law(
        "partner",
        "a control number belongs to one message",
        "SELECT partner_id || ' ' || control_number FROM messages \
         WHERE direction = 'IN' AND state NOT IN ('QUARANTINED', 'RETRACTED') \
         GROUP BY partner_id, control_number HAVING COUNT(*) > 1",
    ),
    law(
        "partner",
        "no message is left unapplied",
        "SELECT message_id || ': ' || message_type || ': ' || outcome FROM messages WHERE state = 'RECEIVED'",
    ),
    law(
        "returns",
        "customers return no more than was delivered",
        "SELECT r.order_id || ' line ' || l.line_number FROM return_lines l JOIN returns r ON r.return_id = l.return_id \
         WHERE r.state <> 'CANCELLED' AND r.package_id IS NULL GROUP BY r.order_id, l.line_number HAVING SUM(l.received) > \
         (SELECT COALESCE(SUM(d.quantity), 0) FROM deliveries d \
         WHERE d.order_id = r.order_id AND d.line_number = l.line_number)",
    ),
];

/// Laws that every database keeps.
const LAWS_OF_ALL: &[(&str, &str)] = &[
    (
        "nothing is parked",
        "SELECT subscription || ': ' || event_type || ': ' || message FROM parked_events WHERE apply_time IS NULL",
    ),
    (
        "the log has no gaps and ends at its head",
        "SELECT 'head ' || position FROM log_head WHERE position <> (SELECT COUNT(*) FROM events) \
         OR position <> (SELECT COALESCE(MAX(position), 0) FROM events)",
    ),
    ("the file is whole", "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'"),
];

/// Checks the laws, logs and timelines of all databases below `directory`.
pub(crate) async fn check(directory: &Path, tally: &Tally) -> anyhow::Result<()> {
    let mut databases = BTreeMap::new();
    for service in SERVICES {
        let file = format!("sqlite:{}", directory.join(service.name).join(format!("{}.db", service.name)).display());
        let db = service.open(&store::Options::new(file), Arc::new(SystemClock)).await?;
        databases.insert(service.name, db);
    }
    for (service, db) in &databases {
        for (text, violations) in LAWS_OF_ALL {
            check_law(service, db, text, violations, tally).await?;
        }
        let verified = store::log::verify(db).await?;
        if let Some((position, problem)) = verified.first_bad {
            tally.violation(format!("the log of {service} breaks at {position}: {problem}"));
        }
    }
    for law in LAWS {
        let db = databases.get(law.service).with_context(|| format!("no database of {}", law.service))?;
        check_law(law.service, db, law.text, law.violations, tally).await?;
    }
    stranded(&databases, tally).await?;
    followed(&databases, tally).await?;
    timelines::check(&databases, tally).await?;
    for db in databases.values() {
        db.close().await;
    }
    Ok(())
}

async fn check_law(service: &str, db: &Db, law: &str, violations: &str, tally: &Tally) -> anyhow::Result<()> {
    let rows = db.query(violations, Vec::new()).await.with_context(|| format!("querying {service} whether {law}"))?;
    for row in rows {
        tally.violation(format!("{service}: {law}, but not {}", row.at::<String>(0)?));
    }
    Ok(())
}

/// No watchdog finds anything.
async fn stranded(databases: &BTreeMap<&str, Db>, tally: &Tally) -> anyhow::Result<()> {
    let (clients, config) = (ServiceClients::unconfigured()?, Config::default());
    for service in SERVICES {
        let db = databases.get(service.name).context("every service has a database")?;
        let found = service.workers(db, &clients, &config).look().await?;
        if found > 0 {
            tally.violation(format!("{found} things are stranded in {}", service.name));
        }
    }
    Ok(())
}

/// No subscription is ahead of its log, and those of operations have reached the end.
async fn followed(databases: &BTreeMap<&str, Db>, tally: &Tally) -> anyhow::Result<()> {
    for (service, db) in databases {
        for row in db.query("SELECT name, position FROM subscriptions", Vec::new()).await? {
            let (name, position): (String, i64) = (row.at(0)?, row.at(1)?);
            let source = name.rsplit('.').next().unwrap_or(service);
            let Some(source) = databases.get(source) else { continue };
            let head = source.head().await?;
            if position > head || (*service == "operations" && position < head) {
                tally.violation(format!("{name} is at {position}, the log ends at {head}"));
            }
        }
    }
    Ok(())
}
