//! One event of every type, and its line.

mod goods;
mod orders;
mod work;

use proto::{
    event::v1::{Event, ExceptionOpened, ExceptionResolved},
    events::{LogEvent, OperationsEvent},
    operations::v1::{Exception, ExceptionChanged, OrderExceptionsChanged},
    types::v1::LineQuantity,
};

pub(super) type Samples = Vec<(Event, &'static str)>;

pub(super) fn samples() -> Samples {
    let mut samples = Samples::new();
    orders::add(&mut samples);
    goods::add(&mut samples);
    work::add(&mut samples);
    exceptions(&mut samples);
    samples
}

#[expect(clippy::needless_pass_by_value, reason = "each sample is made where it is added")]
fn sample<E: LogEvent>(samples: &mut Samples, event: E, line: &'static str) {
    let event = Event {
        r#type: event.event_type().to_string(),
        source: E::SOURCE.to_owned(),
        actor: "person:Ann".to_owned(),
        payload: Some(event.to_any()),
        ..Event::default()
    };
    samples.push((event, line));
}

fn line(sku: &str, quantity: i64) -> LineQuantity {
    LineQuantity { line_number: 1, sku: sku.to_owned(), quantity }
}

fn lines() -> Vec<LineQuantity> {
    vec![line("NW-011", 12), line("NW-042", 3)]
}

fn exceptions(samples: &mut Samples) {
    let opened = ExceptionOpened {
        r#type: "UNASSIGNED".to_owned(),
        summary: "no node may take\n12 NW-011".to_owned(),
        ..Default::default()
    };
    sample(samples, OperationsEvent::ExceptionOpened(opened), "needs a person, UNASSIGNED: no node may take 12 NW-011");
    let resolved = ExceptionResolved {
        r#type: "UNASSIGNED".to_owned(),
        summary: "all units are routed".to_owned(),
        ..Default::default()
    };
    sample(
        samples,
        OperationsEvent::ExceptionResolved(resolved),
        "no longer needs a person, UNASSIGNED: all units are routed",
    );
    let exception = Exception {
        r#type: "UNASSIGNED".to_owned(),
        assignee: "Bob".to_owned(),
        resolution: "called the warehouse".to_owned(),
        ..Default::default()
    };
    let changed = ExceptionChanged { exception: Some(exception) };
    sample(samples, OperationsEvent::ExceptionAssigned(changed.clone()), "UNASSIGNED assigned to Bob");
    sample(
        samples,
        OperationsEvent::ExceptionClosed(changed.clone()),
        "UNASSIGNED resolved by Ann: called the warehouse",
    );
    sample(
        samples,
        OperationsEvent::ExceptionDismissed(changed.clone()),
        "UNASSIGNED dismissed by Ann: called the warehouse",
    );
    sample(samples, OperationsEvent::ExceptionRetried(changed), "UNASSIGNED tried again by Ann");
    let changed = OrderExceptionsChanged { order_id: "ord_1".to_owned(), open_exceptions: 1 };
    sample(samples, OperationsEvent::ExceptionOrderChanged(changed), "the order has an open exception");
}
