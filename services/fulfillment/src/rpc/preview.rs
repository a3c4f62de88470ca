//! Previews routing: which nodes would get which lines, and why. Stores nothing.

use std::collections::BTreeSet;

use mesh::{CallInfo, wire::Checks};
use proto::fulfillment::v1::{PreviewRoutingRequest, RoutingDecision};
use types::{Fault, NodeId, limits::MAX_CHOICES};

use super::Rpc;
use crate::{
    routing::{Exclusions, RequestedLine, RoutingRequest, route},
    routing_decision, store as reads,
    wire::check_units,
};

impl Rpc {
    pub(super) async fn preview_routing(
        &self,
        _: &CallInfo,
        request: PreviewRoutingRequest,
    ) -> Result<RoutingDecision, Fault> {
        let mut checks = Checks::new();
        let country = checks.country("country", &request.country).unwrap_or_default();
        check_units("lines", &request.lines, 1, &mut checks);
        if request.lines.is_empty() {
            checks.wrong("lines", "must not be empty");
        }
        for (at, _) in request.lines.iter().enumerate().filter(|(_, line)| line.sku.is_empty()) {
            checks.wrong(format!("lines[{at}].sku"), "is required");
        }
        checks.at_most("excluded_node_ids", request.excluded_node_ids.len(), MAX_CHOICES);
        let excluded = |(at, id): (usize, &String)| checks.id::<NodeId>(format!("excluded_node_ids[{at}]"), id);
        let excluded: BTreeSet<_> =
            request.excluded_node_ids.iter().take(MAX_CHOICES).enumerate().filter_map(excluded).collect();
        checks.done()?;

        let exclusions = Exclusions(excluded.into_iter().map(|node_id| (node_id, None)).collect());
        let lines = self.requested_lines(&request).await?;
        let stock = self.inventory.stock(lines.iter().map(|line| line.sku.clone()).collect(), &country).await?;
        let nodes = reads::all_nodes(&self.db).await?;
        let request =
            RoutingRequest { country: &country, lines: &lines, nodes: &nodes, stock: &stock, exclusions: &exclusions };
        Ok(routing_decision::body(&route(&request), &exclusions, self.db.clock().now()))
    }

    /// The lines with how their items must be stored.
    async fn requested_lines(&self, request: &PreviewRoutingRequest) -> Result<Vec<RequestedLine>, Fault> {
        let skus = request.lines.iter().map(|line| line.sku.clone()).collect();
        let classes = self.inventory.handling_classes(skus).await?;
        let mut checks = Checks::new();
        let mut lines = Vec::with_capacity(request.lines.len());
        for (at, line) in request.lines.iter().enumerate() {
            match classes.get(&line.sku) {
                Some(handling_class) => lines.push(RequestedLine {
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
