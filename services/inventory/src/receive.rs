//! Takes stock in.

use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, NodeId, Timestamp, Violation};

use crate::{
    create_location::exists,
    ledger::{Ledger, Supply},
    movement::Kind,
    publish::{About, publish},
    scope::Scope,
    stock::{Level, Location},
};

/// Stock that came in.
pub(crate) struct ReceiveStock {
    pub(crate) location_id: NodeId,
    pub(crate) items: Vec<Supply>,
    pub(crate) reference: String,
    /// Now when absent.
    pub(crate) occur_time: Option<Timestamp>,
}

impl ReceiveStock {
    fn scope(&self, rows: &Rows) -> Scope {
        let mut scope = Scope::default();
        for item in &self.items {
            scope.frees(rows, &item.sku);
            scope.places.insert((item.sku.clone(), self.location_id.clone()));
        }
        scope
    }
}

impl Command for ReceiveStock {
    type Reply = wire::ReceiveStockResponse;
    const NAME: &'static str = "ReceiveStock";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Location>(&self.location_id);
        self.scope(rows).ask(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::ReceiveStockResponse, Fault> {
        exists(rows, &self.location_id)?;
        let mut ledger = self.scope(rows).load(rows, cx.now())?;
        known_items(&ledger, self.items.iter().map(|item| item.sku.as_str()), "items")?;
        let occur_time = self.occur_time.unwrap_or_else(|| cx.now()).min(cx.now());
        for item in &self.items {
            ledger.take_in(Kind::Received, &self.location_id, item, &self.reference, occur_time)?;
        }
        publish(ledger.finish()?, About::Stock, rows, cx);
        let levels = levels(rows, &self.location_id, &self.items, cx.now())?;
        Ok(wire::ReceiveStockResponse { levels })
    }
}

/// The levels of some items at a location as they are now.
pub(crate) fn levels(
    rows: &Rows,
    location_id: &NodeId,
    items: &[Supply],
    now: Timestamp,
) -> Result<Vec<wire::StockLevel>, Fault> {
    let level = |item: &Supply| {
        let level = rows.get::<Level>(&(item.sku.clone(), location_id.clone()))?.cloned();
        let level = level.unwrap_or_else(|| Level::none_at(item.sku.clone(), location_id.clone(), now));
        Ok(crate::wire::level(&level))
    };
    items.iter().map(level).collect()
}

/// Fails, naming every item of a request's list that does not exist.
pub(crate) fn known_items<'a>(ledger: &Ledger, skus: impl Iterator<Item = &'a str>, field: &str) -> Result<(), Fault> {
    let unknown = skus.enumerate().filter(|(_, sku)| ledger.stock(sku).is_err());
    let violation = |(index, sku): (usize, &str)| Violation {
        field: format!("{field}[{index}].sku"),
        description: format!("there is no item {sku}"),
    };
    let violations: Vec<Violation> = unknown.map(violation).collect();
    if violations.is_empty() { Ok(()) } else { Err(Fault::violations(violations)) }
}
