use proto::{fulfillment::v1::ReportedPackage, types::v1::LineQuantity};
use store::Proto;

use super::*;
use crate::{
    milestone::MilestoneCode,
    package::{Departure, package_id, sum},
};

fn package(number: &str, left: bool, arrived: Option<i64>) -> Package {
    let shipment: ShipmentId = "shm_1".parse().unwrap();
    Package {
        package_id: package_id(&shipment, number).unwrap(),
        shipment_id: shipment,
        fulfillment_order_id: "ful_1".parse().unwrap(),
        tracking_number: number.to_owned(),
        sscc: String::new(),
        contents: Proto(ReportedPackage {
            lines: vec![LineQuantity { line_number: 1, sku: "A".to_owned(), quantity: 2 }],
            ..Default::default()
        }),
        departure: if left { Departure::Reported } else { Departure::None },
        ship_time: left.then(|| Timestamp::from_micros(1)),
        status: MilestoneCode::Unspecified,
        status_time: None,
        estimated_delivery_time: None,
        deliver_time: arrived.map(Timestamp::from_micros),
        proof: None,
        create_time: Timestamp::default(),
        version: 0,
    }
}

fn state(packages: &[Package]) -> ShipmentState {
    let mut shipment = Shipment {
        shipment_id: "shm_1".parse().unwrap(),
        fulfillment_order_id: "ful_1".parse().unwrap(),
        order_id: "ord_1".parse().unwrap(),
        account_id: "acc_1".parse().unwrap(),
        node_id: "nod_1".parse().unwrap(),
        partner_id: "par_1".parse().unwrap(),
        shipment_reference: "S1".to_owned(),
        carrier_id: String::new(),
        state: ShipmentState::Labelled,
        ship_time: None,
        deliver_time: None,
        create_time: Timestamp::default(),
        update_time: Timestamp::default(),
        version: 0,
    };
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
