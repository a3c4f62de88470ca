//! One event of every kind, and its line.

mod goods;
mod orders;
mod work;

use prost::{Message, Name};
use proto::{
    event::v1::{Event, ExceptionOpened, ExceptionResolved},
    operations::v1::Exception,
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

fn sample<M: Message + Name>(samples: &mut Samples, kind: &str, payload: &M, line: &'static str) {
    let event = Event { actor: "person:Ann".to_owned(), ..testkit::event(kind, "", payload) };
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
    sample(samples, "exception.opened", &opened, "needs a person, UNASSIGNED: no node may take 12 NW-011");
    let resolved = ExceptionResolved {
        r#type: "UNASSIGNED".to_owned(),
        summary: "all units are routed".to_owned(),
        ..Default::default()
    };
    sample(samples, "exception.resolved", &resolved, "no longer needs a person, UNASSIGNED: all units are routed");
    let case = Exception {
        r#type: "UNASSIGNED".to_owned(),
        assignee: "Bob".to_owned(),
        resolution: "called the warehouse".to_owned(),
        ..Default::default()
    };
    sample(samples, "exception.assigned", &case, "UNASSIGNED given to Bob");
    sample(samples, "exception.closed", &case, "UNASSIGNED resolved by Ann: called the warehouse");
    sample(samples, "exception.dismissed", &case, "UNASSIGNED dismissed by Ann: called the warehouse");
}
