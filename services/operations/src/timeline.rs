//! The timeline: the events of an order, numbered in the order in which they became known here.

use prost::Message as _;
use proto::{event::v1::Event, events::EventType};
use store::{Command, Context, Needs, Rows};
use types::{AccountId, Fault, OrderId, Timestamp};

store::text_enum! {
    /// Who sees an entry of a timeline.
    pub(crate) enum Audience = proto::options::v1::Audience {
        /// The distributor's own people and programs.
        Staff = "STAFF",
        /// The customer too.
        Customer = "CUSTOMER",
    }
}

store::record! {
    /// A number that is assigned one after the other.
    pub(crate) struct Counter in "counters" key (name: String) {
        /// The last one assigned.
        value: i64,
    }
}

store::record! {
    /// One event of an order.
    pub(crate) struct Entry in "timeline" key (source: String, position: i64) {
        /// The order in which it became known here, from 1.
        entry_number: i64,
        /// The order that it belongs to.
        order_id: OrderId,
        /// When it occurred.
        occur_time: Timestamp,
        /// Who sees it.
        audience: Audience,
        /// The event, encoded.
        body: Vec<u8>,
    }
}

store::record! {
    /// The account of an order.
    pub(crate) struct Owner in "orders" key (order_id: OrderId) {
        /// The account.
        account_id: AccountId,
    }
}

const COUNTER: &str = "timeline";

impl Audience {
    /// Who sees an event of this type. An event that is unknown here, of a member of a newer version, is for staff.
    fn of(event_type: &str) -> Self {
        EventType::from_name(event_type)
            .and_then(|event_type| Self::from_contract(event_type.audience()))
            .unwrap_or(Self::Staff)
    }
}

/// Adds an event to its order's timeline, once.
///
/// It reads the counter, which is one row for a whole batch, and its own key, which is a lookup at the end of an index.
pub(crate) struct AddEntry {
    source: &'static str,
    position: i64,
    order_id: OrderId,
    occur_time: Option<Timestamp>,
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
            occur_time: time.and_then(mesh::wire::from_timestamp),
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
            occur_time: self.occur_time.unwrap_or_else(|| cx.now()),
            audience: self.audience,
            body: self.body.clone(),
            version: 0,
        });
        Ok(())
    }
}

/// Records the account of an order.
pub(crate) struct RecordOwner {
    pub(crate) order_id: OrderId,
    pub(crate) account_id: AccountId,
}

impl Command for RecordOwner {
    type Reply = ();
    const NAME: &'static str = "RecordOwner";

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_audience_of_an_event_is_declared_with_it_and_an_unknown_one_is_for_staff() {
        assert_eq!(Audience::of(EventType::OrderSubmitted.as_str()), Audience::Customer);
        assert_eq!(Audience::of(EventType::OrderHoldPlaced.as_str()), Audience::Staff);
        assert_eq!(Audience::of("order.reopened"), Audience::Staff, "what is not known is not shown");
    }
}
