//! How long a person has to deal with a case.

use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Hours run around the clock: which of them somebody works is not known here.
const WITHIN: &[(&str, Duration)] = &[
    // Goods left that nobody wants: a carrier can stop them the same day, hardly later.
    ("CANCEL_LOST", HOUR.saturating_mul(2)),
    // An event took no effect: what follows builds on a state that is not true.
    ("REACTION_FAILED", HOUR.saturating_mul(2)),
    // Promised work was not done, and nothing will try it again.
    ("TASK_FAILED", HOUR.saturating_mul(2)),
    // It is not known whether a partner works on it; asked too late, it is done twice or not at all.
    ("MESSAGE_IN_DOUBT", HOUR.saturating_mul(2)),
    // The order stands still until somebody finds a node.
    ("UNASSIGNED", HOUR.saturating_mul(4)),
    // A partner did not get its work, so nobody does it.
    ("MESSAGE_FAILED", HOUR.saturating_mul(4)),
    // A partner's news took no effect, and the partner may not know.
    ("REPORT_REJECTED", HOUR.saturating_mul(8)),
    // A partner's news waits for a service that does not answer.
    ("REPORT_DELAYED", HOUR.saturating_mul(4)),
    // A node works on what was given to another: goods may leave twice.
    ("LATE_ACCEPTANCE", HOUR.saturating_mul(2)),
    // Two different things under one name: one of them is lost until somebody asks the partner.
    ("CONTROL_NUMBER_REUSED", HOUR.saturating_mul(8)),
    // Orders are promised what is not there; the first of them is late tomorrow.
    ("STOCK_SHORTFALL", HOUR.saturating_mul(8)),
    // The customer has more than was ordered; to be settled before it is invoiced or sent back.
    ("OVER_SHIPPED", DAY),
    // The customer has something else than the books say; to be settled before it is invoiced or sent back.
    ("CONTENTS_DIFFER", DAY),
    // More came back than was agreed: somebody has to tell the customer what becomes of it.
    ("OVER_RECEIVED", DAY),
    // A partner speaks of what is another's: one of the two is mistaken, the goods go on.
    ("FOREIGN_REPORT", DAY),
    // The books are wrong, the goods are not: to be counted.
    ("STOCK_DRIFT", DAY),
];

/// From the report of a case to the time a person should have dealt with it; a day for types that are not known here.
pub(super) fn within(kind: &str) -> Duration {
    WITHIN.iter().find(|(known, _)| *known == kind).map_or(DAY, |(_, within)| *within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goods_that_can_still_be_stopped_are_due_before_books_that_are_wrong() {
        assert!(within("CANCEL_LOST") < within("UNASSIGNED"));
        assert!(within("UNASSIGNED") < within("STOCK_DRIFT"));
        assert_eq!(within("SOMETHING_NEW"), DAY);
    }
}
