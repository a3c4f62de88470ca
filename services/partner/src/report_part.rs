//! Parts of a report that are refused while the rest takes effect: elements of its lists, such as the count of an item that
//! is not known.

use proto::partner::v1::{self as contract, submit_report_request::Report};
use types::{Fault, MessageId, Reason};

store::text_enum! {
    /// State of a part of a report.
    pub(crate) enum PartState = contract::ReportPartState {
        /// It was refused.
        Waiting = "WAITING",
        /// It took effect.
        Applied = "APPLIED",
        /// The report was taken back before.
        Dropped = "DROPPED",
    }
}

store::record! {
    /// A part of a report that was refused when the rest took effect.
    pub(crate) struct ReportPart in "report_parts" key (message_id: MessageId, part_number: i64) {
        /// The list of the report.
        list: String,
        /// Its index in the list.
        element: i64,
        /// Why it was refused last.
        problem: String,
        /// Whether it took effect since.
        state: PartState,
    }
}

/// An element of a list of a report, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadElement {
    /// The list.
    pub(crate) list: &'static str,
    /// Its index in the list.
    pub(crate) element: usize,
    /// What is wrong.
    pub(crate) problem: String,
}

impl ReportPart {
    /// The element as a field of the report: `items[3]`.
    pub(crate) fn field(&self) -> String {
        format!("{}[{}]", self.list, self.element)
    }

    /// Whether it is this element.
    fn is(&self, list: &str, element: usize) -> bool {
        self.list == list && usize::try_from(self.element) == Ok(element)
    }
}

/// The report without these parts.
pub(crate) fn without(mut report: Report, parts: &[ReportPart]) -> Report {
    retain(&mut report, |list, element| !parts.iter().any(|part| part.is(list, element)));
    report
}

/// Only this part of the report.
pub(crate) fn only(mut report: Report, part: &ReportPart) -> Report {
    retain(&mut report, |list, element| part.is(list, element));
    report
}

/// The elements that a refusal of the report without `parts` names. None when it names anything else, or nothing would be left.
pub(crate) fn refused(report: &Report, parts: &[ReportPart], fault: &Fault) -> Vec<BadElement> {
    if fault.reason != Reason::InvalidArgument || fault.violations.is_empty() {
        return Vec::new();
    }
    let mut tried = Vec::new();
    retain(&mut report.clone(), |list, element| {
        if !parts.iter().any(|part| part.is(list, element)) {
            tried.push((list, element));
        }
        true
    });
    let mut bad: Vec<BadElement> = Vec::new();
    for violation in &fault.violations {
        let at = violation.field.split_once('[').and_then(|(list, rest)| Some((list, rest.split_once(']')?)));
        let Some((list, (index, within))) = at else { return Vec::new() };
        // The indexes of a refusal are those of the report as it was tried.
        let of_list = tried.iter().filter(|(name, _)| *name == list);
        let named = index.parse().ok().and_then(|index| of_list.clone().nth(index));
        let Some((list, element)) = named.copied() else { return Vec::new() };
        let problem = format!("{} {}", within.trim_start_matches('.'), violation.description).trim().to_owned();
        match bad.iter_mut().find(|bad| (bad.list, bad.element) == (list, element)) {
            Some(known) => known.problem = format!("{}; {problem}", known.problem),
            None => bad.push(BadElement { list, element, problem }),
        }
    }
    if bad.len() < tried.len() { bad } else { Vec::new() }
}

/// Keeps the elements of a report's lists for which `keep` holds, in the order of the lists; the first list is asked first.
fn retain(report: &mut Report, mut keep: impl FnMut(&'static str, usize) -> bool) {
    match report {
        Report::Picked(request) => {
            retain_in(&mut request.picked, |element| keep("picked", element));
            retain_in(&mut request.short, |element| keep("short", element));
        }
        Report::Labelled(request) => retain_in(&mut request.packages, |element| keep("packages", element)),
        Report::Shipped(request) => retain_in(&mut request.packages, |element| keep("packages", element)),
        Report::Snapshot(request) => retain_in(&mut request.items, |element| keep("items", element)),
        Report::Voided(request) => retain_in(&mut request.package_names, |element| keep("package_names", element)),
        Report::ShipmentRetracted(request) => {
            retain_in(&mut request.package_names, |element| keep("package_names", element));
        }
        Report::ShipmentCorrected(request) => retain_in(&mut request.packages, |element| keep("packages", element)),
        Report::PickRetracted(request) => {
            retain_in(&mut request.picked, |element| keep("picked", element));
            retain_in(&mut request.short, |element| keep("short", element));
        }
        Report::CountRetracted(request) => retain_in(&mut request.skus, |element| keep("skus", element)),
        Report::Accepted(_)
        | Report::Rejected(_)
        | Report::Cancellation(_)
        | Report::ShipToChange(_)
        | Report::Milestone(_)
        | Report::ProofOfDelivery(_)
        | Report::Retracted(_)
        | Report::Retraction(_) => {}
    }
}

fn retain_in<T>(list: &mut Vec<T>, mut keep: impl FnMut(usize) -> bool) {
    let mut element = 0;
    list.retain(|_| {
        let kept = keep(element);
        element += 1;
        kept
    });
}

#[cfg(test)]
mod tests {
    use proto::inventory::v1::{ItemQuantity, ReportSnapshotRequest};

    use super::*;

    fn counted(skus: &[&str]) -> Report {
        let item = |sku: &&str| ItemQuantity { sku: (*sku).to_owned(), quantity: 1 };
        Report::Snapshot(ReportSnapshotRequest { items: skus.iter().map(item).collect(), ..Default::default() })
    }

    fn part(part_number: i64, element: i64) -> ReportPart {
        ReportPart {
            message_id: "msg_1".parse().unwrap(),
            part_number,
            list: "items".to_owned(),
            element,
            problem: String::new(),
            state: PartState::Waiting,
            version: 0,
        }
    }

    #[test]
    fn the_elements_of_a_second_refusal_are_those_of_the_report() {
        let report = counted(&["A", "B", "C", "D"]);
        let first = Fault::invalid("items[1].sku", "no such item");
        let bad = |element, problem: &str| BadElement { list: "items", element, problem: problem.to_owned() };
        assert_eq!(refused(&report, &[], &first), [bad(1, "sku no such item")]);
        let parts = [part(1, 1)];
        assert_eq!(without(report.clone(), &parts), counted(&["A", "C", "D"]));
        // The third of those tried is the fourth of the report.
        let second = Fault::invalid("items[2].quantity", "must be at least 0");
        assert_eq!(refused(&report, &parts, &second), [bad(3, "quantity must be at least 0")]);
        assert_eq!(only(report, &part(2, 3)), counted(&["D"]));
    }

    #[test]
    fn a_refusal_of_more_than_elements_is_one_of_the_whole_report() {
        let report = counted(&["A", "B"]);
        assert!(refused(&report, &[], &Fault::invalid("count_time", "is required")).is_empty());
        assert!(refused(&report, &[], &Fault::invalid("items[7].sku", "no such item")).is_empty());
        assert!(refused(&report, &[], &Fault::not_found("location", "nod_x")).is_empty());
        assert!(
            refused(&counted(&["A"]), &[], &Fault::invalid("items[0].sku", "no such item")).is_empty(),
            "nothing left"
        );
    }
}
