//! The timeline: what became known of an order, numbered in the order it became known.

use prost::Message as _;
use proto::event::v1::Event;
use store::{Command, Context, Needs, Rows};
use types::{AccountId, Fault, OrderId, Timestamp};

use crate::audience::Audience;

store::record! {
    /// A number that is given out one after the other.
    pub(crate) struct Counter in "counters" key (name: String) {
        /// The last one given out.
        value: i64,
    }
}

store::record! {
    /// One event of an order.
    pub(crate) struct Entry in "timeline" key (source: String, position: i64) {
        /// The order in which it became known, from 1.
        entry_number: i64,
        /// The order it belongs to.
        order_id: OrderId,
        /// When it happened.
        occurred_time: Timestamp,
        /// Who is shown it.
        audience: Audience,
        /// The event, encoded.
        body: Vec<u8>,
    }
}

store::record! {
    /// Whose an order is.
    pub(crate) struct Owner in "orders" key (order_id: OrderId) {
        /// The account.
        account_id: AccountId,
    }
}

const COUNTER: &str = "timeline";

/// Adds an event to its order's timeline, once.
///
/// It reads the counter, which is one row for a whole batch, and its own key, which is a lookup at the end of an index.
pub(crate) struct AddEntry {
    source: &'static str,
    position: i64,
    order_id: OrderId,
    occurred_time: Option<Timestamp>,
    audience: Audience,
    body: Vec<u8>,
}

impl AddEntry {
    pub(crate) fn new(source: &'static str, order_id: OrderId, event: &Event) -> Self {
        let time = event.occur_time.as_ref().or(event.record_time.as_ref());
        Self {
            source,
            position: event.position,
            order_id,
            occurred_time: time.and_then(mesh::wire::from_timestamp),
            audience: Audience::of(&event.r#type),
            body: event.encode_to_vec(),
        }
    }

    fn key(&self) -> (String, i64) {
        (self.source.to_owned(), self.position)
    }
}

impl Command for AddEntry {
    type Reply = ();
    const NAME: &'static str = "AddTimelineEntry";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Counter>(&COUNTER.to_owned());
        needs.row::<Entry>(&self.key());
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let (source, position) = self.key();
        if rows.get::<Entry>(&self.key())?.is_some() {
            return Ok(());
        }
        let counter = rows.get::<Counter>(&COUNTER.to_owned())?.cloned();
        let counter = counter.ok_or_else(|| Fault::internal("the timeline has no counter"))?;
        let entry_number = counter.value + 1;
        rows.put(Counter { value: entry_number, ..counter });
        rows.put(Entry {
            source,
            position,
            entry_number,
            order_id: self.order_id.clone(),
            occurred_time: self.occurred_time.unwrap_or_else(|| cx.now()),
            audience: self.audience,
            body: self.body.clone(),
            version: 0,
        });
        Ok(())
    }
}

/// Notes whose an order is.
pub(crate) struct LearnOwner {
    pub(crate) order_id: OrderId,
    pub(crate) account_id: AccountId,
}

impl Command for LearnOwner {
    type Reply = ();
    const NAME: &'static str = "LearnOwner";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Owner>(&self.order_id);
    }

    fn decide(&self, rows: &mut Rows, _: &mut Context<'_>) -> Result<(), Fault> {
        if rows.get::<Owner>(&self.order_id)?.is_none() {
            rows.put(Owner { order_id: self.order_id.clone(), account_id: self.account_id.clone(), version: 0 });
        }
        Ok(())
    }
}
