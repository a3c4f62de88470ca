//! Quotes an order: reads the account, the place, the items and the nodes here, and asks inventory for its stock.

use std::time::Duration;

use mesh::CallInfo;
use proto::{
    inventory::v1::{Availability, GetAvailabilityRequest},
    order::v1 as contract,
};
use tokio::time::{Instant, timeout_at};
use types::Fault;

use super::Rpc;
use crate::{
    node::Nodes,
    place::{Destination as Place, country},
    process::ship_window,
    promise::lane::Destination,
    quote::{Quote, Terms, quote},
    store as reads, wire,
};

/// How long inventory is waited for at most.
const STOCK_WITHIN: Duration = Duration::from_secs(5);

/// How long before the call's deadline the answer is sent.
const MARGIN: Duration = Duration::from_millis(250);

impl Rpc {
    pub(super) async fn quote_order(
        &self,
        info: &CallInfo,
        request: contract::QuoteOrderRequest,
    ) -> Result<contract::QuoteOrderResponse, Fault> {
        let asked = Quote::parse(&request)?;
        reads::account(&self.db, &asked.account_id, &info.principal).await?;
        let ship_to = self.destination(&asked).await?;
        let mut skus: Vec<String> = asked.lines.iter().map(|line| line.sku.clone()).collect();
        skus.sort();
        skus.dedup();
        let lines = match asked.with_items(&reads::items(&self.db, &skus).await?) {
            // An item without a copy here is looked for in inventory, as when an order is placed.
            Err(fault) if self.copy_unknown_items(skus.iter(), &fault).await? => {
                asked.with_items(&reads::items(&self.db, &skus).await?)?
            }
            lines => lines?,
        };
        skus.retain(|sku| lines.iter().any(|line| line.goods().is_some_and(|(goods, _)| goods == sku)));
        let stock = if skus.is_empty() { Some(Vec::new()) } else { self.stock(info, skus, country(&ship_to)).await };
        let nodes = reads::nodes(&self.db).await?;
        let now = self.db.clock().now();
        let classes: Vec<_> = lines.iter().filter_map(|line| line.goods()).map(|(_, class)| class).collect();
        let handling_time = nodes
            .as_ref()
            .map_or(crate::node::DEFAULT_HANDLING, |nodes| nodes.handling_time(country(&ship_to), &classes));
        let release_time =
            ship_window::release_time(asked.ship_not_before, asked.requested_ship_time, handling_time, now);
        let address = ship_to.address.clone().unwrap_or_default();
        let terms = Terms {
            nodes: nodes.as_ref().map_or(&[], Nodes::all),
            to: Destination::new(&address.country, &address.postal_code, &ship_to.time_zone),
            release_time: release_time.unwrap_or(now),
            requested_ship_time: asked.requested_ship_time,
            now,
        };
        Ok(quote(&terms, &lines, stock.as_deref()))
    }

    /// Where the order would go.
    async fn destination(&self, asked: &Quote) -> Result<contract::ShipTo, Fault> {
        match &asked.place {
            Place::Address(address) => {
                Ok(contract::ShipTo { address: Some(address.clone()), ..contract::ShipTo::default() })
            }
            Place::ShipTo(ship_to_id) => {
                let found = reads::ship_to(&self.db, &asked.account_id, ship_to_id).await?;
                let found = found.ok_or_else(|| Fault::invalid("ship_to_id", "is not a ship-to of the account"))?;
                Ok(wire::ship_to(&found))
            }
        }
    }

    /// What there is of the items for a country; `None` when inventory does not say so in time.
    async fn stock(&self, info: &CallInfo, skus: Vec<String>, country: &str) -> Option<Vec<Availability>> {
        let now = Instant::now();
        let by_deadline = info.deadline.map(|deadline| deadline.checked_sub(MARGIN).unwrap_or(now));
        let until = by_deadline.map_or(now + STOCK_WITHIN, |deadline| deadline.min(now + STOCK_WITHIN));
        let request = GetAvailabilityRequest { skus, ship_to_country: country.to_owned() };
        let mut inventory = self.inventory.clone();
        match timeout_at(until, inventory.get_availability(request)).await {
            Ok(Ok(found)) => Some(found.into_inner().availability),
            Ok(Err(status)) => {
                tracing::warn!(fault = %mesh::fault(&status), "an order is quoted without its stock");
                None
            }
            Err(_) => {
                tracing::warn!("an order is quoted without its stock: inventory does not answer");
                None
            }
        }
    }
}
