//! Saying where lines would go, and why, without doing it.

use std::collections::BTreeMap;

use mesh::{
    Principal, fault,
    wire::{Checks, MAX_CHOICES},
};
use proto::{
    fulfillment::v1::{PreviewRoutingRequest, RoutingDecision},
    inventory::v1::BatchGetItemsRequest,
};
use types::{Fault, NodeId};

use super::{Api, report};
use crate::{
    decision,
    node::HandlingClass,
    routing::{Exclusions, Question, Wanted, route},
    store as reads, tasks, wire,
};

impl Api {
    pub(super) async fn preview(
        &self,
        _: &Principal,
        request: &PreviewRoutingRequest,
    ) -> Result<RoutingDecision, Fault> {
        let mut checks = Checks::new();
        let country = checks.country("country", &request.country).unwrap_or_default();
        report::units("lines", &request.lines, 1, &mut checks);
        if request.lines.is_empty() {
            checks.wrong("lines", "must not be empty");
        }
        for (at, _) in request.lines.iter().enumerate().filter(|(_, line)| line.sku.is_empty()) {
            checks.wrong(format!("lines[{at}].sku"), "is required");
        }
        checks.at_most("excluded_node_ids", request.excluded_node_ids.len(), MAX_CHOICES);
        let excluded = |(at, id): (usize, &String)| checks.id::<NodeId>(format!("excluded_node_ids[{at}]"), id);
        let excluded: Vec<_> =
            request.excluded_node_ids.iter().take(MAX_CHOICES).enumerate().filter_map(excluded).collect();
        let exclusions = Exclusions(excluded.into_iter().map(|node_id| (node_id, None)).collect());
        checks.done()?;

        let lines = self.wanted(request).await?;
        let stock = tasks::stock(&self.inventory, lines.iter().map(|line| line.sku.clone())).await?;
        let nodes = reads::all_nodes(&self.db).await?;
        let question =
            Question { country: &country, lines: &lines, nodes: &nodes, stock: &stock, exclusions: &exclusions };
        Ok(decision::body(&route(&question), &exclusions, self.db.clock().now()))
    }

    /// The lines with how their items must be kept.
    async fn wanted(&self, request: &PreviewRoutingRequest) -> Result<Vec<Wanted>, Fault> {
        let mut skus: Vec<_> = request.lines.iter().map(|line| line.sku.clone()).collect();
        skus.sort();
        skus.dedup();
        let reply = self.inventory.clone().batch_get_items(BatchGetItemsRequest { skus }).await;
        let items = reply.map_err(|status| fault(&status))?.into_inner().items;
        let classes: BTreeMap<&str, HandlingClass> = items
            .iter()
            .filter_map(|item| {
                let name = item.handling_class().as_str_name();
                Some((item.sku.as_str(), wire::named(name, "HANDLING_CLASS_")?))
            })
            .collect();
        let mut checks = Checks::new();
        let mut lines = Vec::with_capacity(request.lines.len());
        for (at, line) in request.lines.iter().enumerate() {
            match classes.get(line.sku.as_str()) {
                Some(handling_class) => lines.push(Wanted {
                    line_number: i64::from(line.line_number),
                    sku: line.sku.clone(),
                    handling_class: *handling_class,
                    quantity: line.quantity,
                }),
                None => checks.wrong(format!("lines[{at}].sku"), "is not a known item"),
            }
        }
        checks.done()?;
        Ok(lines)
    }
}
