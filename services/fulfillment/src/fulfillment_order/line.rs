//! A line of work: counters in base units.

use proto::types::v1::LineQuantity;
use types::FulfillmentOrderId;

store::record! {
    /// An order line's share of work.
    pub struct Line in "fulfillment_lines" key (fulfillment_order_id: FulfillmentOrderId, line_number: i64) {
        /// The item.
        sku: String,
        /// Units asked for.
        quantity: i64,
        /// Units picked.
        picked: i64,
        /// Units packed and labelled.
        packed: i64,
        /// Units shipped.
        shipped: i64,
        /// Units the node could not find.
        short: i64,
        /// Units the order does not want any more.
        cancelled: i64,
        /// Units taken from the node for another one.
        taken_back: i64,
        /// Of the short and taken back ones, those that inventory does not have back yet.
        in_return: i64,
    }
}

/// Units that left although they had been given up, or were never asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reclaimed {
    /// The order line.
    pub line_number: i64,
    /// The item.
    pub sku: String,
    /// Units that were still on their way back: nobody else has them.
    pub in_return: i64,
    /// Units that had been given elsewhere meanwhile, or wait to be.
    pub given_up: i64,
    /// Units the order had cancelled.
    pub cancelled: i64,
    /// Units beyond all that was asked for.
    pub beyond: i64,
}

impl Line {
    /// Units neither shipped nor given up.
    pub fn open(&self) -> i64 {
        (self.quantity - self.shipped - self.short - self.cancelled - self.taken_back).max(0)
    }

    /// Units of this line.
    pub fn units(&self, quantity: i64) -> LineQuantity {
        LineQuantity { line_number: number(self.line_number), sku: self.sku.clone(), quantity }
    }

    /// Units left: open ones first, then those given up, cancelled ones last.
    pub(super) fn ship(&mut self, quantity: i64) -> Reclaimed {
        let mut rest = quantity - quantity.min(self.open());
        self.shipped = self.shipped.saturating_add(quantity);
        let mut take = |counter: &mut i64| {
            let taken = rest.min(*counter);
            *counter -= taken;
            rest -= taken;
            taken
        };
        let given_up = take(&mut self.taken_back) + take(&mut self.short);
        let cancelled = take(&mut self.cancelled);
        let in_return = given_up.min(self.in_return);
        self.in_return -= in_return;
        Reclaimed {
            line_number: self.line_number,
            sku: self.sku.clone(),
            in_return,
            given_up: given_up - in_return,
            cancelled,
            beyond: rest,
        }
    }
}

/// A line number as the wire has it. Those of the domain came from there.
pub fn number(line_number: i64) -> i32 {
    i32::try_from(line_number).unwrap_or(i32::MAX)
}

/// The lines that `units` name, with their quantities.
pub(super) fn matched<'a>(
    lines: &'a mut [Line],
    units: &'a [LineQuantity],
) -> impl Iterator<Item = (&'a mut Line, i64)> {
    lines.iter_mut().filter_map(|line| {
        let named = units.iter().filter(|unit| i64::from(unit.line_number) == line.line_number);
        let quantity = named.fold(0_i64, |sum, unit| sum.saturating_add(unit.quantity));
        (quantity > 0).then_some((line, quantity))
    })
}
