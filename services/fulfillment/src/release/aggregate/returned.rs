//! Units that nodes gave up, and those of them that are returned to the order.

use proto::{fulfillment::v1::FulfillmentUnfulfillable, types::v1::LineQuantity};

use super::ReleaseAggregate;
use crate::release::ReleaseLine;

impl ReleaseAggregate {
    /// Routes units again that inventory deallocated from a node, except those that are returned to the order.
    pub(crate) fn reassign(
        &mut self,
        deallocated: &[LineQuantity],
        returned_to_order: Option<(FulfillmentUnfulfillable, String)>,
    ) {
        self.each(deallocated, |line, quantity| {
            line.assigned -= quantity;
            line.unrouted += quantity;
        });
        if let Some((returned, _)) = &returned_to_order {
            self.each(&returned.lines, |line, quantity| {
                line.unrouted -= quantity;
                line.returned_to_order += quantity;
            });
        }
        self.returned_to_order = returned_to_order;
        self.reroute();
    }

    /// Units of a line that were returned to the order, and those of them that no request is set off against any more.
    pub(crate) fn returned(&self, line_number: i32) -> (i64, i64) {
        let line = self.lines.iter().find(|line| line.line_number == i64::from(line_number));
        line.map_or((0, 0), |line| (line.returned_to_order, line.returned_accounted))
    }

    /// Sets no request off any more against so many returned units of a line; returns how many there are here.
    pub(crate) fn account_returned(&mut self, line_number: i32, units: i64) -> i64 {
        let Some(line) = self.line_mut(line_number.into()) else { return 0 };
        let units = units.min(line.returned_to_order - line.returned_accounted);
        line.returned_accounted += units;
        units
    }

    /// The order cancels units that it has back, instead of as many that a plan allots to nodes. Takes these off the units.
    pub(crate) fn keep_planned(&mut self, returned: &mut [LineQuantity]) {
        for unit in returned {
            let Some(line) = self.line_mut(unit.line_number.into()) else { continue };
            let kept = unit.quantity.min(line.to_cancel);
            line.to_cancel -= kept;
            unit.quantity -= kept;
        }
    }

    fn each(&mut self, units: &[LineQuantity], change: impl Fn(&mut ReleaseLine, i64)) {
        for unit in units {
            if let Some(line) = self.line_mut(unit.line_number.into()) {
                change(line, unit.quantity);
            }
        }
    }
}
