use proto::fulfillment::v1::{Milestone, ReportedPackage};

use super::*;
use crate::{
    fulfillment_order::tests::fulfillment_order, milestone::MilestoneCode, package_key, tracking_report::ReportDoubt,
};

fn day(number: u32) -> Timestamp {
    Timestamp::default().after(DAY.saturating_mul(number))
}

fn labelled(number: u32, reference: &str, carrier_id: &str) -> (Package, Shipment) {
    let header = fulfillment_order(&[4]).header;
    let shipment = Shipment::new(&header, reference, carrier_id, day(number), day(number)).unwrap();
    let contents = ReportedPackage { tracking_number: "T-1".to_owned(), ..ReportedPackage::default() };
    (Package { label_time: Some(day(number)), ..Package::new(&shipment, contents, day(number)).unwrap() }, shipment)
}

fn report(number: u32, reporter_id: &str, carrier_id: &str) -> TrackingReport {
    let milestone = Milestone { tracking_number: "t1".to_owned(), ..Milestone::default() };
    let (reporter_id, carrier_id) = (reporter_id.to_owned(), carrier_id.to_owned());
    TrackingReport::milestone(reporter_id, carrier_id, MilestoneCode::Delivered, day(number), milestone).unwrap()
}

fn relations(report: &TrackingReport, packages: &[(Package, Shipment)]) -> Vec<Relation> {
    let candidates: Vec<_> = packages.iter().map(|(package, shipment)| Candidate { package, shipment }).collect();
    let backwards: Vec<_> = candidates.iter().rev().copied().collect();
    let of = |one: &Candidate<'_>| {
        let found = relation(report, &one.package.package_id, &candidates);
        assert_eq!(found, relation(report, &one.package.package_id, &backwards), "whatever comes first");
        found
    };
    candidates.iter().map(of).collect()
}

#[test]
fn a_number_that_is_used_again_means_the_package_of_its_time() {
    let packages = [labelled(10, "a", "par_x"), labelled(310, "b", "par_x")];
    assert_eq!(packages[0].0.package_key, package_key::of_number("T1"));
    assert_eq!(relations(&report(12, "par_x", "par_x"), &packages), [Relation::Authoritative, Relation::Other]);
    assert_eq!(relations(&report(311, "par_x", "par_x"), &packages), [Relation::Other, Relation::Authoritative]);
    assert_eq!(relations(&report(250, "par_x", "par_x"), &packages), [Relation::Other, Relation::Other]);
}

#[test]
fn a_newer_package_of_the_same_carrier_takes_the_number_over() {
    let packages = [labelled(10, "a", "par_x"), labelled(60, "b", "par_x")];
    assert_eq!(relations(&report(52, "par_x", "par_x"), &packages), [Relation::Authoritative, Relation::Other]);
    assert_eq!(relations(&report(54, "par_x", "par_x"), &packages), [Relation::Other, Relation::Authoritative]);
    let others = [labelled(10, "a", "par_x"), labelled(60, "b", "par_y")];
    assert_eq!(relations(&report(61, "par_x", "par_x"), &others), [Relation::Authoritative, Relation::Other]);
}

#[test]
fn a_box_with_goods_of_two_orders_is_reported_for_both() {
    let packages = [labelled(10, "a", "par_x"), labelled(11, "b", "par_x")];
    assert_eq!(relations(&report(12, "par_x", "par_x"), &packages), [Relation::Authoritative; 2]);
}

#[test]
fn the_carrier_decides_between_packages_with_one_number() {
    let packages = [labelled(10, "a", "par_x"), labelled(11, "b", "par_y")];
    assert_eq!(relations(&report(12, "par_x", "par_x"), &packages), [Relation::Authoritative, Relation::Other]);
    assert_eq!(relations(&report(12, "", "par_y"), &packages), [Relation::Other, Relation::Authoritative]);
    assert_eq!(relations(&report(12, "", ""), &packages), [Relation::Ambiguous; 2]);
    assert_eq!(relations(&report(12, "par_z", "par_z"), &packages), [Relation::Foreign; 2]);
}

#[test]
fn a_report_that_names_another_carrier_does_not_count() {
    let packages = [labelled(10, "a", "par_x")];
    assert_eq!(relations(&report(12, "", "par_y"), &packages), [Relation::Foreign]);
    assert_eq!(relations(&report(12, "", ""), &packages), [Relation::Authoritative]);
    assert_eq!(relations(&report(12, "", "par_y"), &[labelled(10, "a", "")]), [Relation::Authoritative]);
}

#[test]
fn a_report_from_a_time_that_cannot_be_right_is_of_the_package_of_its_record() {
    let packages = [labelled(10, "a", "par_x")];
    let doubtful =
        TrackingReport { doubt: ReportDoubt::Future, record_time: day(11), ..report(30_000, "par_x", "par_x") };
    assert_eq!(relations(&doubtful, &packages), [Relation::Authoritative]);
}
