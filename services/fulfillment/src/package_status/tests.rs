use proptest::{collection::vec, option, prelude::*, sample::select};
use proto::fulfillment::v1::Milestone;

use super::*;
use crate::{package_key::PackageName, tracking_report::ReportDoubt};

/// An instant some hours after the epoch: further apart than clocks are.
fn hour(number: i64) -> Timestamp {
    Timestamp::from_micros(number * 3_600_000_000)
}

fn milestone(code: MilestoneCode, at: i64) -> TrackingReport {
    estimating(code, at, None)
}

fn estimating(code: MilestoneCode, at: i64, estimate: Option<i64>) -> TrackingReport {
    let milestone = Milestone {
        tracking_number: "1Z".to_owned(),
        estimated_delivery_time: estimate.map(|estimate| mesh::wire::timestamp(hour(estimate))),
        ..Milestone::default()
    };
    TrackingReport::milestone(String::new(), String::new(), code, hour(at), milestone).unwrap()
}

fn proof(at: i64) -> TrackingReport {
    let name = PackageName { tracking_number: "1Z".to_owned(), ..PackageName::default() };
    let proof = ProofOfDelivery { signed_by: format!("at {at}"), ..Default::default() };
    TrackingReport::proof(String::new(), String::new(), hour(at), &name, proof).unwrap()
}

fn status(reports: &[TrackingReport]) -> Option<(MilestoneCode, i64)> {
    fold(reports, None).status.map(|(code, at)| (code, at.as_micros() / 3_600_000_000))
}

#[test]
fn the_newest_by_the_time_it_happened_counts() {
    let late = [milestone(MilestoneCode::OutForDelivery, 5), milestone(MilestoneCode::PickedUp, 1)];
    assert_eq!(status(&late), Some((MilestoneCode::OutForDelivery, 5)));
}

#[test]
fn a_delivered_package_stays_delivered() {
    let after = [
        milestone(MilestoneCode::Delivered, 5),
        milestone(MilestoneCode::InTransit, 9),
        milestone(MilestoneCode::PickedUp, 1),
        milestone(MilestoneCode::Lost, 2),
        milestone(MilestoneCode::ReturnedToSender, 8),
    ];
    assert_eq!(status(&after), Some((MilestoneCode::Delivered, 5)));
    assert_eq!(status(&[milestone(MilestoneCode::Lost, 2), proof(7)]), Some((MilestoneCode::Delivered, 7)));
}

#[test]
fn what_is_delivered_after_its_return_to_the_sender_is_delivered_to_the_sender() {
    let returned = [milestone(MilestoneCode::ReturnedToSender, 5), milestone(MilestoneCode::Delivered, 8), proof(8)];
    let tracking = fold(&returned, None);
    assert_eq!(tracking.status, Some((MilestoneCode::ReturnedToSender, hour(5))));
    assert_eq!((tracking.deliver_time(), tracking.proof), (None, None));
}

#[test]
fn estimates_and_unknown_codes_move_no_status() {
    let reports = [
        milestone(MilestoneCode::LabelCreated, 1),
        estimating(MilestoneCode::Estimated, 9, Some(50)),
        milestone(MilestoneCode::Unspecified, 10),
    ];
    let tracking = fold(&reports, None);
    assert_eq!(tracking.status, Some((MilestoneCode::LabelCreated, hour(1))));
    assert_eq!(tracking.estimated_delivery_time, Some(hour(50)));
    assert_eq!(tracking.depart_time, None);
}

#[test]
fn a_delivery_before_the_departure_does_not_count() {
    let early = milestone(MilestoneCode::Delivered, 2);
    assert_eq!(fold([&early], Some(hour(3))).before_departure, std::slice::from_ref(&early.report_id));
    assert_eq!(fold([&early], Some(hour(3))).status, None);
    assert_eq!(status(&[early.clone(), milestone(MilestoneCode::PickedUp, 4)]), Some((MilestoneCode::PickedUp, 4)));
    // The first that is known of the departure counts, and a little is the difference of two clocks.
    let left = Some(hour(3));
    assert!(fold([&early, &milestone(MilestoneCode::PickedUp, 1)], left).deliver_time().is_some());
    assert!(fold([&early], Some(hour(2).after(CLOCK_SKEW))).deliver_time().is_some());
}

fn sets() -> impl Strategy<Value = Vec<TrackingReport>> {
    let one = (select(MilestoneCode::ALL), 0..6_i64, option::of(0..9_i64), any::<bool>(), 0..8_u8);
    let report = |(code, at, estimate, is_proof, fate): (MilestoneCode, i64, Option<i64>, bool, u8)| {
        let report = if is_proof { proof(at) } else { estimating(code, at, estimate) };
        let report = TrackingReport { retract_time: (fate == 0).then(|| hour(9)), ..report };
        TrackingReport { doubt: if fate == 1 { ReportDoubt::Future } else { ReportDoubt::None }, ..report }
    };
    vec(one.prop_map(report), 0..10).prop_map(|mut reports| {
        reports.sort_by(|a, b| a.report_id.cmp(&b.report_id));
        reports.dedup_by(|a, b| a.report_id == b.report_id);
        reports
    })
}

fn counted(reports: &[TrackingReport], left: Option<i64>) -> Tracking {
    let mut tracking = fold(reports.iter().filter(|report| report.is_valid()), left.map(hour));
    tracking.before_departure.sort();
    tracking.before_departure.dedup();
    tracking
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_of_the_same_reports_give_the_same_status(
        reports in sets(),
        left in option::of(0..6_i64),
        order in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut shuffled = reports.clone();
        for at in &order {
            if !reports.is_empty() {
                let again = shuffled.remove(at.index(reports.len()));
                shuffled.push(again.clone());
                shuffled.push(again);
            }
        }
        prop_assert_eq!(counted(&reports, left), counted(&shuffled, left));
    }

    #[test]
    fn what_is_retracted_counts_as_if_it_had_never_been_reported(reports in sets(), left in option::of(0..6_i64)) {
        let kept: Vec<_> = reports.iter().filter(|report| report.retract_time.is_none()).cloned().collect();
        prop_assert_eq!(counted(&reports, left), counted(&kept, left));
    }

    #[test]
    fn what_was_delivered_before_any_return_is_never_anything_else_again(reports in sets(), at in 0..9_i64) {
        let returned = reports.iter().any(|one| one.code == MilestoneCode::ReturnedToSender && one.occur_time <= hour(at));
        let left = reports.iter().any(|one| one.code.implies_departure() && one.occur_time < hour(at));
        prop_assume!(!returned && left);
        let mut reports: Vec<_> = reports.into_iter().filter(TrackingReport::is_valid).collect();
        reports.push(milestone(MilestoneCode::PickedUp, 0));
        reports.push(milestone(MilestoneCode::Delivered, at));
        prop_assert_eq!(fold(&reports, None).status.map(|(code, _)| code), Some(MilestoneCode::Delivered));
    }
}
