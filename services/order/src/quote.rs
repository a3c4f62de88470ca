//! What would be promised of an order, if it were placed now. Pure: what is read for it is in `rpc/quote.rs`.
//!
//! Units that are available leave as an order that is released now would, others when scheduled receipts are in stock. The dates
//! are found by the functions that promise an order's lines (`promise/dates.rs`), so that an order that is placed at once is
//! promised what it was quoted, as long as stock and calendars are the same. Quantities are refused as those of an order are; what
//! else an order is refused for is for `ValidateOrder` to say.

mod check;

use std::collections::HashMap;

use mesh::wire::timestamp;
use proto::{
    fulfillment::v1::Node,
    inventory::v1::Availability,
    order::v1::{self as contract, PromiseConfidence, QuoteAvailability},
};
use types::{AccountId, Timestamp};

use crate::{
    item::{HandlingClass, ItemKind},
    place::Destination as Place,
    promise::{
        dates::{self, Dates},
        lane::Destination,
    },
};

/// Asks what would be promised.
#[derive(Debug)]
pub(crate) struct Quote {
    pub(crate) account_id: AccountId,
    pub(crate) place: Place,
    pub(crate) requested_ship_time: Option<Timestamp>,
    pub(crate) ship_not_before: Option<Timestamp>,
    pub(crate) lines: Vec<Line>,
}

/// A line of a request.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    line_number: i32,
    pub(crate) sku: String,
    /// How many of the unit of measure.
    quantity: i64,
    /// The item's base unit when empty.
    uom: String,
}

/// A line with its item.
#[derive(Debug, Clone)]
pub(crate) struct ItemLine {
    line_number: i32,
    sku: String,
    name: String,
    uom: String,
    /// In base units.
    quantity: i64,
    kind: ItemKind,
    handling_class: HandlingClass,
}

impl ItemLine {
    /// Of goods the item, and how it must be kept; `None` of a service.
    pub(crate) fn goods(&self) -> Option<(&str, HandlingClass)> {
        (self.kind == ItemKind::Goods).then_some((&self.sku, self.handling_class))
    }
}

/// Units of an item by when they are available; `None` is now.
type Supply = Vec<(Option<Timestamp>, i64)>;

/// From when on goods would leave, and where they would go.
pub(crate) struct Terms<'n> {
    pub(crate) nodes: &'n [Node],
    pub(crate) to: Destination,
    pub(crate) release_time: Timestamp,
    pub(crate) requested_ship_time: Option<Timestamp>,
    pub(crate) now: Timestamp,
}

/// Units of a line that would be available at the same time.
struct Part {
    quantity: i64,
    expect_time: Option<Timestamp>,
    confidence: PromiseConfidence,
    dates: Option<Dates>,
}

/// Quotes the lines. `stock` is `None` when inventory did not answer.
pub(crate) fn quote(
    terms: &Terms<'_>,
    lines: &[ItemLine],
    stock: Option<&[Availability]>,
) -> contract::QuoteOrderResponse {
    let supplies: Option<HashMap<&str, Supply>> =
        stock.map(|stock| stock.iter().map(|item| (item.sku.as_str(), supply(item))).collect());
    // Lines share the supply of their item, in the order of the request.
    let mut taken: HashMap<&str, i64> = HashMap::new();
    let mut response = contract::QuoteOrderResponse { quote_time: Some(timestamp(terms.now)), ..Default::default() };
    let (mut ships, mut deliveries) = (Vec::new(), Vec::new());
    for line in lines {
        if line.kind == ItemKind::Service {
            response.lines.push(quoted_service(line));
            continue;
        }
        let taken = taken.entry(&line.sku).or_default();
        let supply = supplies.as_ref().map(|supplies| supplies.get(line.sku.as_str()).map_or(&[][..], Vec::as_slice));
        let parts = terms.parts(line, *taken, supply.unwrap_or_default());
        *taken = taken.saturating_add(line.quantity);
        ships.extend(parts.iter().filter_map(|part| Some(part.dates.as_ref()?.ship)));
        let delivered = parts.iter().map(|part| part.dates.as_ref().and_then(|dates| dates.delivery));
        response.promise_is_partial |= delivered.clone().any(|delivery| delivery.is_none());
        deliveries.extend(delivered.flatten());
        response.lines.push(quoted(line, &parts, supply.is_some()));
    }
    let edge = |time: Option<&Timestamp>| time.map(|time| timestamp(*time));
    response.earliest_ship_time = edge(ships.iter().min());
    response.latest_ship_time = edge(ships.iter().max());
    response.earliest_delivery_time = edge(deliveries.iter().min());
    response.latest_delivery_time = edge(deliveries.iter().max());
    response
}

/// How many units of an item there are by when, in all.
fn supply(item: &Availability) -> Supply {
    let mut supply = vec![(None, item.atp)];
    let dated = item.dated_supply.iter().filter_map(|dated| {
        let expected = dated.expect_time.as_ref().and_then(mesh::wire::from_timestamp)?;
        Some((Some(expected), dated.available_to_promise))
    });
    supply.extend(dated);
    supply
}

impl Terms<'_> {
    /// The units of a line by when they would be available. Those that no supply is expected for are the last part.
    fn parts(&self, line: &ItemLine, taken: i64, supply: &[(Option<Timestamp>, i64)]) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut rest = line.quantity;
        for (expect_time, available) in supply {
            let given = line.quantity - rest;
            let quantity = available.saturating_sub(taken).saturating_sub(given).clamp(0, rest);
            if quantity == 0 {
                continue;
            }
            rest -= quantity;
            let request = expect_time.map_or(self.release_time, |expected| expected.max(self.release_time));
            let mut dates = self.dates(line, request);
            let confidence = match expect_time {
                None => PromiseConfidence::Confirmed,
                Some(_) => {
                    dates.source = dates.source.of_expected_stock();
                    PromiseConfidence::Expected
                }
            };
            parts.push(Part { quantity, expect_time: *expect_time, confidence, dates: Some(dates) });
        }
        if rest > 0 {
            let confidence = PromiseConfidence::Unknown;
            parts.push(Part { quantity: rest, expect_time: None, confidence, dates: None });
        }
        parts
    }

    fn dates(&self, line: &ItemLine, request: Timestamp) -> Dates {
        dates::dates_of_any(self.nodes, line.handling_class, &self.to, request, self.requested_ship_time)
    }
}

fn quoted(line: &ItemLine, parts: &[Part], is_known: bool) -> contract::QuotedLine {
    let is_now = |part: &&Part| part.confidence == PromiseConfidence::Confirmed;
    let available: i64 = parts.iter().filter(is_now).map(|part| part.quantity).sum();
    let availability = match available {
        _ if !is_known => QuoteAvailability::Unknown,
        0 => QuoteAvailability::No,
        units if units == line.quantity => QuoteAvailability::Yes,
        _ => QuoteAvailability::Partial,
    };
    contract::QuotedLine {
        line_number: line.line_number,
        sku: line.sku.clone(),
        name: line.name.clone(),
        uom: line.uom.clone(),
        quantity: line.quantity,
        availability: availability.into(),
        available_quantity: available,
        promise: Some(of_all(parts)),
        parts: parts.iter().map(part).collect(),
    }
}

/// A service delays nothing, and is promised nothing.
fn quoted_service(line: &ItemLine) -> contract::QuotedLine {
    let source = "a service: nothing is shipped".to_owned();
    contract::QuotedLine {
        availability: QuoteAvailability::Yes.into(),
        available_quantity: line.quantity,
        promise: Some(contract::LinePromise { source, ..contract::LinePromise::default() }),
        ..quoted(line, &[], true)
    }
}

fn part(part: &Part) -> contract::QuotePart {
    contract::QuotePart {
        quantity: part.quantity,
        promise: Some(promise(part.confidence, part.dates.as_ref())),
        expect_time: part.expect_time.map(timestamp),
    }
}

fn promise(confidence: PromiseConfidence, dates: Option<&Dates>) -> contract::LinePromise {
    let source = dates.map(|dates| dates.source.clone()).unwrap_or_default();
    contract::LinePromise {
        promised_ship_time: dates.map(|dates| timestamp(dates.ship)),
        promised_delivery_time: dates.and_then(|dates| dates.delivery).map(timestamp),
        confidence: confidence.into(),
        source: source.text,
        node_ids: source.node_ids,
    }
}

/// The promise of all parts together. They come in the order of their dates, and so of their confidence.
fn of_all(parts: &[Part]) -> contract::LinePromise {
    parts.last().map_or_else(contract::LinePromise::default, |last| promise(last.confidence, last.dates.as_ref()))
}
