//! Gives units back that no location works on.

use proto::inventory::v1 as wire;
use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId, Violation};

use crate::{
    ledger::{LineKey, Wanted},
    promise::Reservation,
    publish::{About, RELEASED, images, publish},
    scope::{Scope, known},
};

/// What the lines of an order give back. Lines that never reserved have nothing to give.
pub(crate) struct Release {
    pub(crate) order_id: OrderId,
    pub(crate) lines: Vec<Wanted>,
}

impl Release {
    fn keys(&self) -> impl Iterator<Item = LineKey> {
        self.lines.iter().map(|line| (self.order_id.clone(), line.line_number))
    }

    fn scope(&self, rows: &Rows) -> Scope {
        let mut scope = Scope::of_lines(self.keys());
        for line in &self.lines {
            match known::<Reservation>(rows, &(self.order_id.clone(), line.line_number)) {
                Some(present) if present.backordered < line.quantity => scope.frees(rows, &present.sku),
                Some(present) => drop(scope.skus.insert(present.sku.clone())),
                None => {}
            }
        }
        scope
    }
}

impl Command for Release {
    type Reply = wire::ReleaseResponse;
    const NAME: &'static str = "Release";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        self.scope(rows).ask(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::ReleaseResponse, Fault> {
        let mut ledger = self.scope(rows).load(rows, cx.now())?;
        let mut wrong = Vec::new();
        for (index, (key, line)) in self.keys().zip(&self.lines).enumerate() {
            if let Some(other) = ledger.reservation(&key).filter(|present| present.sku != line.sku) {
                let description = format!("the line is reserved for {}", other.sku);
                wrong.push(Violation { field: format!("lines[{index}].sku"), description });
                continue;
            }
            ledger.release(&key, line.quantity)?;
        }
        if !wrong.is_empty() {
            return Err(Fault::violations(wrong));
        }
        publish(ledger.finish()?, About::Promises(&self.order_id, RELEASED), rows, cx);
        Ok(wire::ReleaseResponse { reservations: images(rows, self.keys())? })
    }
}
