use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*, sample::select};

use store::Proto;

use super::*;

fn milestone(code: MilestoneCode, at: i64) -> Milestone {
    Milestone {
        tracking_number: "1Z".to_owned(),
        reporter_id: String::new(),
        code,
        occur_time: Timestamp::from_micros(at),
        raw_code: String::new(),
        occur_offset_minutes: 0,
        place: String::new(),
        estimated_delivery_time: None,
        carrier_id: String::new(),
        record_time: Timestamp::default(),
        version: 0,
    }
}

fn proof(at: i64) -> Proof {
    let sign_time = Timestamp::from_micros(at);
    Proof {
        tracking_number: "1Z".to_owned(),
        reporter_id: String::new(),
        sign_time,
        proof: Proto(ProofOfDelivery { signed_by: format!("at {at}"), ..Default::default() }),
        carrier_id: String::new(),
        record_time: Timestamp::default(),
        version: 0,
    }
}

fn status(milestones: &[Milestone], proofs: &[Proof]) -> Option<(MilestoneCode, i64)> {
    fold(milestones, proofs).status.map(|(code, at)| (code, at.as_micros()))
}

#[test]
fn the_newest_by_the_time_it_happened_counts() {
    let late = [milestone(MilestoneCode::OutForDelivery, 5), milestone(MilestoneCode::PickedUp, 1)];
    assert_eq!(status(&late, &[]), Some((MilestoneCode::OutForDelivery, 5)));
}

#[test]
fn a_delivered_package_stays_delivered() {
    let after = [
        milestone(MilestoneCode::Delivered, 5),
        milestone(MilestoneCode::InTransit, 9),
        milestone(MilestoneCode::Lost, 2),
    ];
    assert_eq!(status(&after, &[]), Some((MilestoneCode::Delivered, 5)));
    assert_eq!(status(&[milestone(MilestoneCode::Lost, 2)], &[proof(7)]), Some((MilestoneCode::Delivered, 7)));
}

#[test]
fn estimates_and_unknown_codes_move_no_status() {
    let mut estimate = milestone(MilestoneCode::Estimated, 9);
    estimate.estimated_delivery_time = Some(Timestamp::from_micros(50));
    let reports = [milestone(MilestoneCode::LabelCreated, 1), estimate, milestone(MilestoneCode::Unspecified, 10)];
    let tracking = fold(&reports, &[]);
    assert_eq!(tracking.status, Some((MilestoneCode::LabelCreated, Timestamp::from_micros(1))));
    assert_eq!(tracking.estimated_delivery_time, Some(Timestamp::from_micros(50)));
    assert_eq!(tracking.depart_time, None);
}

fn sets() -> impl Strategy<Value = (Vec<Milestone>, Vec<Proof>)> {
    let one = (select(MilestoneCode::ALL), 0..6_i64, option::of(0..9_i64));
    let milestones = vec(one, 0..8).prop_map(|reports| {
        let keyed = reports.into_iter().map(|(code, at, estimate)| {
            let estimated_delivery_time = estimate.map(Timestamp::from_micros);
            ((code, at), Milestone { estimated_delivery_time, ..milestone(code, at) })
        });
        keyed.collect::<BTreeMap<_, _>>().into_values().collect::<Vec<_>>()
    });
    (milestones, vec(0..6_i64, 0..3).prop_map(|times| times.into_iter().map(proof).collect()))
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_of_the_same_reports_give_the_same_status(
        (milestones, proofs) in sets(),
        order in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut shuffled = milestones.clone();
        for at in &order {
            if !milestones.is_empty() {
                let again = shuffled.remove(at.index(milestones.len()));
                shuffled.push(again.clone());
                shuffled.push(again);
            }
        }
        let backwards: Vec<_> = proofs.iter().rev().chain(&proofs).cloned().collect();
        prop_assert_eq!(fold(&milestones, &proofs), fold(&shuffled, &backwards));
    }

    #[test]
    fn what_was_delivered_is_never_anything_else_again((milestones, proofs) in sets(), at in 0..9_i64) {
        let mut milestones = milestones;
        milestones.push(milestone(MilestoneCode::Delivered, at));
        prop_assert_eq!(fold(&milestones, &proofs).status.map(|(code, _)| code), Some(MilestoneCode::Delivered));
    }
}
