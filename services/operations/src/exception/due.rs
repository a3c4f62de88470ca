//! The time by which a person has to close an exception, by its type.

use std::time::Duration;

use proto::event::v1::ExceptionType;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Time from the report of an exception until it should be closed; a day for a type that is unknown here.
///
/// Hours run around the clock: working hours are not known here.
pub(super) fn within(exception_type: &str) -> Duration {
    match ExceptionType::from_text(exception_type).unwrap_or_default() {
        ExceptionType::Unspecified => DAY,
        // Goods left although the order was cancelled: a carrier can stop them the same day, hardly later.
        ExceptionType::CancelLost => HOUR * 2,
        // An event had no effect: what follows builds on a wrong state.
        ExceptionType::ReactionFailed => HOUR * 2,
        // Work that was due is not done, and what failed so often will hardly succeed by itself.
        ExceptionType::TaskFailed => HOUR * 2,
        // It is not known whether a partner works on it; asked too late, the work is done twice or not at all.
        ExceptionType::MessageInDoubt => HOUR * 2,
        // Two nodes work on the same units: goods may leave twice.
        ExceptionType::LateAcceptance => HOUR * 2,
        // The order stops until a person finds a node.
        ExceptionType::Unassigned => HOUR * 4,
        // A partner did not receive its fulfillment order, so no one works on it.
        ExceptionType::MessageFailed => HOUR * 4,
        // A partner's report waits for a service that does not answer.
        ExceptionType::ReportDelayed => HOUR * 4,
        // A partner's report had no effect, and the partner may not know.
        ExceptionType::ReportRejected => HOUR * 8,
        // Part of a partner's report had no effect yet, such as the count of an item that is not known.
        ExceptionType::ReportIncomplete => HOUR * 8,
        // Two contents under one control number: one of them is lost until a person asks the partner.
        ExceptionType::ControlNumberReused => HOUR * 8,
        // Orders have reserved what is not there; the first of them is late tomorrow.
        ExceptionType::StockShortfall => HOUR * 8,
        // The customer has more than was ordered: to be settled before it is invoiced or sent back.
        ExceptionType::OverShipped => DAY,
        // The customer is asked to pay what it does not owe, or was given back too much.
        ExceptionType::InvoiceMismatch => DAY,
        // The customer has other goods than were recorded: to be settled before they are invoiced or sent back.
        ExceptionType::ContentsDiffer => DAY,
        // More was returned than was authorized: the customer needs an answer.
        ExceptionType::OverReceived => DAY,
        // A partner reported on a package of another partner: one of the two is wrong, the goods go on.
        ExceptionType::ForeignReport => DAY,
        // The customer waits for its credit, or for nothing.
        ExceptionType::ReturnOverdue => DAY,
        // The customer waits for goods that do not come: they are to be shipped again or cancelled.
        ExceptionType::PackageLost | ExceptionType::PackageDamaged | ExceptionType::DeliveryRefused => HOUR * 8,
        // A delivery can be agreed on while the carrier still has the package.
        ExceptionType::DeliveryFailed | ExceptionType::AttemptedTooOften => HOUR * 8,
        // The goods are on their way back, and the customer waits.
        ExceptionType::ReturnedToSender => DAY,
        // A carrier finds a package the sooner it is asked.
        ExceptionType::TrackingSilent => DAY,
        // The customer has goods that it was credited or sent again.
        ExceptionType::DeliveredAfterWriteOff => DAY,
        // One of label and goods is wrong: what left is to be checked.
        ExceptionType::VoidedLabelUsed => DAY,
        // A report does not count although it may be right: what it reports is not known until a person looks.
        ExceptionType::ImplausibleTime | ExceptionType::AmbiguousReport => DAY,
        // The counters are wrong, the goods are not: to be counted.
        ExceptionType::StockDrift => DAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goods_that_can_still_be_stopped_are_due_before_counters_that_are_wrong() {
        assert!(within("CANCEL_LOST") < within("UNASSIGNED"));
        assert!(within("UNASSIGNED") < within("STOCK_DRIFT"));
        assert_eq!(within("SOMETHING_NEW"), DAY);
    }
}
