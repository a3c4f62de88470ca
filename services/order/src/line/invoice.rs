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
    /// What `units` base units of the line cost: their share of `amount_minor`, rounded half up; all of them cost all of it.
    ///
    /// Returns credit by the same formula. From the exact price instead, which was rounded to `amount_minor`, a share can be
    /// a cent less, and then more is credited than was invoiced.
    pub fn amount_of(&self, units: i64) -> i64 {
        let (amount, ordered, units) = (i128::from(self.amount_minor), i128::from(self.ordered), i128::from(units));
        i64::try_from((2 * amount * units + ordered) / (2 * ordered)).unwrap_or(self.amount_minor)
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
