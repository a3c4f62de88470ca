use proptest::prelude::*;
use proto::{
    order::v1::{InvoiceLine, InvoicingStatus, PackageEvidence, ShipmentEvidence},
    types::v1::LineQuantity,
};

use super::*;
use crate::{
    invoice::{Balance, Invoice, InvoiceKind},
    process::{evidence::OrderShipment, returned_units::ReturnedUnits, settlement::Cause},
};

/// An invoice or a credit memo of units and amounts of lines.
pub(super) fn invoice(kind: InvoiceKind, lines: &[(i64, i64, i64)]) -> Invoice {
    let line = |&(line_number, quantity, amount_minor): &(i64, i64, i64)| InvoiceLine {
        line_number: line_number.try_into().unwrap(),
        quantity,
        amount_minor,
    };
    let invoice = contract::Invoice { lines: lines.iter().map(line).collect(), ..Default::default() };
    Invoice {
        account_id: "acc_1".parse().unwrap(),
        kind,
        invoice_number: "INV-1".to_owned(),
        order_id: "ord_1".parse().unwrap(),
        record_time: NOW,
        invoice: Proto(invoice),
        version: 0,
    }
}

/// A shipment with so many units of a line in a package with a proof of delivery.
pub(super) fn prove(aggregate: &mut OrderAggregate, line_number: i64, quantity: i64) {
    let lines = vec![LineQuantity { line_number: line_number.try_into().unwrap(), quantity, ..Default::default() }];
    let time = Some(mesh::wire::timestamp(NOW));
    let package = PackageEvidence { lines, ship_time: time, deliver_time: time, sign_time: time, ..Default::default() };
    let shipment = OrderShipment {
        order_id: "ord_1".parse().unwrap(),
        shipment_id: format!("shm_{line_number}").parse().unwrap(),
        shipment_version: 1,
        evidence: Proto(ShipmentEvidence { packages: vec![package], occur_time: time, ..Default::default() }),
        version: 0,
    };
    aggregate.change(NOW, |aggregate| {
        aggregate.take_evidence(&shipment);
        aggregate.settle(Cause::Shipment(&shipment.shipment_id), NOW);
    });
}

fn record(aggregate: &mut OrderAggregate, kind: InvoiceKind, line: (i64, i64, i64)) {
    let invoice = invoice(kind, &[line]);
    aggregate.change(NOW, |aggregate| aggregate.record_invoice(invoice));
}

fn returned(aggregate: &mut OrderAggregate, line_number: i64, units: i64) {
    let units = ReturnedUnits { line_number, authorized: units, received: units, creditable: units };
    aggregate.change(NOW, |aggregate| {
        aggregate.count_returns(&[units]);
        aggregate.settle(Cause::Return(&"rma_1".parse().unwrap()), NOW);
    });
}

fn status(aggregate: &OrderAggregate) -> InvoicingStatus {
    aggregate.order.invoicing_status(&aggregate.lines, &Balance::of(&aggregate.lines))
}

/// What an ERP still has to do for a line, by the rows that it was sent.
#[derive(Debug, Default, Clone, Copy)]
struct Pool {
    to_invoice: (i64, i64),
    to_credit: (i64, i64),
}

impl Pool {
    /// Reads the rows of a change.
    fn follow(&mut self, pending: &[PendingEvent]) {
        for event in pending {
            if let PendingEvent::InvoiceReady(row) = event {
                for line in &row.readiness.0.lines {
                    self.to_invoice.0 += line.quantity - line.already_invoiced;
                    self.to_invoice.1 += line.amount_minor - line.already_invoiced_minor;
                    self.to_credit.0 -= line.already_invoiced;
                    self.to_credit.1 -= line.already_invoiced_minor;
                }
            } else if let PendingEvent::CreditProposed(row) = event {
                for line in &row.credit.0.lines {
                    self.to_invoice.0 -= line.not_invoiced;
                    self.to_invoice.1 -= line.not_invoiced_minor;
                    self.to_credit.0 += line.quantity - line.not_invoiced;
                    self.to_credit.1 += line.amount_minor - line.not_invoiced_minor;
                }
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Shipped(i64),
    Delivered(i64),
    Retracted(i64),
    Returned(i64),
    Proven(i64),
    Invoices,
    Credits,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1_i64..=9).prop_map(Step::Shipped),
        3 => (1_i64..=9).prop_map(Step::Delivered),
        1 => (1_i64..=9).prop_map(Step::Retracted),
        2 => (0_i64..=9).prop_map(Step::Returned),
        2 => (0_i64..=30).prop_map(Step::Proven),
        3 => Just(Step::Invoices),
        2 => Just(Step::Credits),
    ]
}

proptest! {
    #[test]
    fn an_erp_that_follows_the_rows_invoices_to_the_cent_what_is_owed(
        policy in prop::sample::select(InvoicePolicy::ALL),
        ordered in 1_i64..=30,
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let mut aggregate = aggregate(FillPolicy::FillAvailableBackorder, policy, &[ordered]);
        let reserved = in_stock(&aggregate);
        apply(&mut aggregate, &reserved);
        let mut pool = Pool::default();
        for step in steps.into_iter().chain([Step::Invoices, Step::Credits]) {
            match step {
                Step::Shipped(units) => apply(&mut aggregate, &shipped(1, units)),
                Step::Delivered(units) => apply(&mut aggregate, &delivered(1, units)),
                Step::Retracted(quantity) => {
                    let (shipment_id, units) = (shipment(), units(1, quantity));
                    apply(&mut aggregate, &OrderReport::DeliveryRetracted { shipment_id, units });
                }
                Step::Returned(units) => returned(&mut aggregate, 1, units),
                Step::Proven(units) => prove(&mut aggregate, 1, units),
                Step::Invoices => {
                    let (units, minor) = std::mem::take(&mut pool.to_invoice);
                    if (units, minor) != (0, 0) {
                        record(&mut aggregate, InvoiceKind::Invoice, (1, units, minor));
                    }
                }
                Step::Credits => {
                    let (units, minor) = std::mem::take(&mut pool.to_credit);
                    if (units, minor) != (0, 0) {
                        record(&mut aggregate, InvoiceKind::CreditMemo, (1, units, minor));
                    }
                }
            }
            pool.follow(&std::mem::take(&mut aggregate.0.pending));
            let line = &aggregate.lines[0];
            prop_assert_eq!(line.uninvoiced(), pool.to_invoice);
            prop_assert_eq!(line.balance().to_credit, pool.to_credit.0);
            prop_assert!(aggregate.order.mismatched_invoice.is_none());
        }
        let line = &aggregate.lines[0];
        let net = (line.invoiced - line.credit_posted, line.invoiced_minor - line.credit_posted_minor);
        prop_assert_eq!(net, line.owed_now());
        prop_assert_eq!(line.balance(), Balance::default());
    }

    #[test]
    fn nothing_of_an_order_is_ready_before_it_is_complete(
        ordered in prop::collection::vec(1_i64..=5, 3),
        steps in prop::collection::vec((1_i64..=3, 1_i64..=5, any::<bool>()), 0..30),
    ) {
        let mut aggregate = aggregate(FillPolicy::FillAvailableBackorder, InvoicePolicy::OnCompletion, &ordered);
        let reserved = in_stock(&aggregate);
        apply(&mut aggregate, &reserved);
        for (line, units, is_shipped) in steps {
            let before = aggregate.order.invoice_ready_minor;
            apply(&mut aggregate, &if is_shipped { shipped(line, units) } else { delivered(line, units) });
            let is_complete = UnitTotals::of(&aggregate.lines).all_delivered();
            prop_assert!(is_complete || aggregate.order.invoice_ready_minor == before);
            if is_complete {
                prop_assert_eq!(aggregate.order.invoice_ready_minor, aggregate.order.total_minor);
            }
        }
    }
}

#[test]
fn a_cent_of_rounding_is_neither_to_be_invoiced_nor_credited() {
    let mut aggregate = usual(&[3]);
    let reserved = in_stock(&aggregate);
    apply(&mut aggregate, &reserved);
    apply(&mut aggregate, &shipped(1, 3));
    apply(&mut aggregate, &delivered(1, 1));
    // A third of 2.68 is 0.89 and a third of a cent.
    assert_eq!(aggregate.lines[0].owed_now(), (1, 89));
    record(&mut aggregate, InvoiceKind::Invoice, (1, 1, 90));
    assert_eq!(aggregate.lines[0].balance(), Balance::default());
    assert_eq!((status(&aggregate), &aggregate.order.mismatched_invoice), (InvoicingStatus::PartiallyInvoiced, &None));
    apply(&mut aggregate, &delivered(1, 2));
    let balance = aggregate.lines[0].balance();
    assert_eq!((balance.to_invoice, balance.to_invoice_minor), (2, 178), "the next invoice makes up for it");
    record(&mut aggregate, InvoiceKind::Invoice, (1, 2, 178));
    assert_eq!(status(&aggregate), InvoicingStatus::Invoiced);
    // The lines of three invoices may be three cents apart by rounding, and not four.
    record(&mut aggregate, InvoiceKind::Invoice, (1, 0, 4));
    assert_eq!(status(&aggregate), InvoicingStatus::OverInvoiced);
}

#[test]
fn a_delivered_order_waits_for_its_proof_and_is_not_said_to_need_no_invoice() {
    let mut aggregate = aggregate(FillPolicy::FillAll, InvoicePolicy::OnProofOfDelivery, &[4]);
    let reserved = in_stock(&aggregate);
    apply(&mut aggregate, &reserved);
    apply(&mut aggregate, &shipped(1, 4));
    apply(&mut aggregate, &delivered(1, 4));
    assert_eq!((aggregate.order.state, status(&aggregate)), (OrderState::Closed, InvoicingStatus::NotReady));
    prove(&mut aggregate, 1, 3);
    assert_eq!((aggregate.lines[0].owed_now().0, status(&aggregate)), (3, InvoicingStatus::Ready));
    let (units, minor) = aggregate.lines[0].owed_now();
    record(&mut aggregate, InvoiceKind::Invoice, (1, units, minor));
    assert_eq!(status(&aggregate), InvoicingStatus::PartiallyInvoiced);
    returned(&mut aggregate, 1, 4);
    assert_eq!(status(&aggregate), InvoicingStatus::OverInvoiced, "it is credited next");
    assert_eq!(aggregate.order.mismatched_invoice, None);
}
