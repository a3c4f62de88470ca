use proto::{fulfillment::v1::ReportedPackage, types::v1::LineQuantity};

use super::*;
use crate::{
    fulfillment_order::tests::fulfillment_order,
    package::{Departure, sum},
};

fn shipment() -> Shipment {
    Shipment::new(&fulfillment_order(&[4]).header, "S1", "", Timestamp::default(), Timestamp::default()).unwrap()
}

fn package(number: &str, left: bool, arrived: Option<i64>) -> Package {
    let lines = vec![LineQuantity { line_number: 1, sku: "A".to_owned(), quantity: 2 }];
    let contents = ReportedPackage { tracking_number: number.to_owned(), lines, ..Default::default() };
    Package {
        departure: if left { Departure::Reported } else { Departure::None },
        ship_time: left.then(|| Timestamp::from_micros(1)),
        deliver_time: arrived.map(Timestamp::from_micros),
        ..Package::new(&shipment(), contents, Timestamp::default()).unwrap()
    }
}

fn state(packages: &[Package]) -> ShipmentState {
    let mut shipment = shipment();
    shipment.derive_state(packages);
    shipment.state
}

#[test]
fn the_state_is_that_of_all_packages_that_left() {
    assert_eq!(state(&[package("1", false, None)]), ShipmentState::Labelled);
    assert_eq!(state(&[package("1", true, None), package("2", true, None)]), ShipmentState::Shipped);
    assert_eq!(state(&[package("1", true, Some(5)), package("2", true, None)]), ShipmentState::PartiallyDelivered);
    assert_eq!(state(&[package("1", true, Some(5)), package("2", true, Some(6))]), ShipmentState::Delivered);
}

#[test]
fn a_label_moves_no_shipment_that_left() {
    assert_eq!(state(&[package("1", true, Some(5)), package("2", false, None)]), ShipmentState::Delivered);
}

#[test]
fn ids_are_made_from_what_they_name() {
    let order: FulfillmentOrderId = "ful_1".parse().unwrap();
    assert_eq!(shipment_id(&order, "S1"), shipment_id(&order, "S1"));
    assert_ne!(shipment_id(&order, "S1"), shipment_id(&order, "S2"));
    assert!(shipment_id(&order, "S1").is_ok());
}

#[test]
fn units_are_summed_by_line() {
    let both = [package("1", true, None), package("2", true, None)];
    assert_eq!(sum(&both).iter().map(|unit| unit.quantity).collect::<Vec<_>>(), [4]);
}
