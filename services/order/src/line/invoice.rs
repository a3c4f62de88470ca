//! What of a line may be invoiced, to the cent.

use super::Line;
use crate::account::InvoicePolicy;

/// Units that became ready to invoice, and what they come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// Base units.
    pub units: i64,
    /// Minor units of the order's currency.
    pub amount_minor: i64,
}

impl Line {
    /// What `units` base units of the line cost, rounded half away from zero once. All of them cost `amount_minor`.
    pub fn amount_of(&self, units: i64) -> i64 {
        let full = i128::from(self.uom_quantity) * i128::from(self.unit_price_minor);
        let exact = full * i128::from(10_000 - self.discount_basis_points.get()) * i128::from(units);
        let whole = 10_000 * i128::from(self.ordered);
        i64::try_from((2 * exact + whole) / (2 * whole)).unwrap_or(self.amount_minor)
    }

    /// Makes ready what the policy lets be invoiced by now; answers what is new.
    ///
    /// The amount is the difference of what all ready units cost now and cost before, so that the parts sum to the
    /// whole. Units too many are for a person to decide on.
    pub fn make_ready(&mut self, policy: InvoicePolicy) -> Option<Ready> {
        let wanted = self.shipped - self.over_shipped;
        let by_now = match policy {
            InvoicePolicy::OnShipment => wanted,
            InvoicePolicy::OnDelivery => self.delivered.min(wanted),
        };
        let units = by_now - self.invoice_ready;
        if units <= 0 {
            return None;
        }
        let amount_minor = self.amount_of(by_now) - self.invoice_ready_minor;
        self.invoice_ready = by_now;
        self.invoice_ready_minor += amount_minor;
        Some(Ready { units, amount_minor })
    }
}
