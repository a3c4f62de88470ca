//! The way from one service to another.

use mesh::{Channel, Principal, Secret};

/// The way to every service.
#[derive(Debug, Clone)]
pub struct Members {
    /// To the order service.
    pub order: Channel,
    /// To the inventory service.
    pub inventory: Channel,
    /// To the fulfillment service.
    pub fulfillment: Channel,
    /// To the returns service.
    pub returns: Channel,
    /// To the partner service.
    pub partner: Channel,
    /// To the operations service.
    pub operations: Channel,
}

impl Members {
    /// Ways that nobody takes: where only what could be called is of interest, or as a beginning.
    pub fn nowhere() -> anyhow::Result<Self> {
        let way = Channel::connect("http://localhost")?;
        Ok(Self {
            order: way.clone(),
            inventory: way.clone(),
            fulfillment: way.clone(),
            returns: way.clone(),
            partner: way.clone(),
            operations: way,
        })
    }

    /// The same ways, with another to this service.
    pub(super) fn with(mut self, service: &str, way: Channel) -> anyhow::Result<Self> {
        *match service {
            order::NAME => &mut self.order,
            inventory::NAME => &mut self.inventory,
            fulfillment::NAME => &mut self.fulfillment,
            returns::NAME => &mut self.returns,
            partner::NAME => &mut self.partner,
            operations::NAME => &mut self.operations,
            _ => anyhow::bail!("there is no service {service}"),
        } = way;
        Ok(self)
    }

    /// The full names of the gRPC services that have a REST face, and the way to each, on behalf of `principal`.
    pub fn rest(&self, principal: &Principal) -> Vec<(&'static str, Channel)> {
        [
            ("waybill.order.v1.OrderService", &self.order),
            ("waybill.inventory.v1.InventoryService", &self.inventory),
            ("waybill.fulfillment.v1.FulfillmentService", &self.fulfillment),
            ("waybill.returns.v1.ReturnsService", &self.returns),
            ("waybill.partner.v1.PartnerService", &self.partner),
            ("waybill.partner.v1.ApiClientService", &self.partner),
            ("waybill.operations.v1.OperationsService", &self.operations),
            ("waybill.operations.v1.UsageService", &self.operations),
        ]
        .map(|(service, channel)| (service, channel.for_principal(principal)))
        .to_vec()
    }

    /// The same ways, showing that a member calls.
    #[must_use]
    pub fn with_mesh_token(&self, token: Option<&Secret>) -> Self {
        Self {
            order: self.order.with_mesh_token(token),
            inventory: self.inventory.with_mesh_token(token),
            fulfillment: self.fulfillment.with_mesh_token(token),
            returns: self.returns.with_mesh_token(token),
            partner: self.partner.with_mesh_token(token),
            operations: self.operations.with_mesh_token(token),
        }
    }

    /// The same ways, taken by a service on its own behalf.
    pub(super) fn on_behalf_of(&self, service: &str) -> Self {
        Self {
            order: self.order.for_service(service),
            inventory: self.inventory.for_service(service),
            fulfillment: self.fulfillment.for_service(service),
            returns: self.returns.for_service(service),
            partner: self.partner.for_service(service),
            operations: self.operations.for_service(service),
        }
    }

    /// The way to every log that operations follows.
    pub(super) fn logs(self) -> Vec<(&'static str, Channel)> {
        vec![
            (order::NAME, self.order),
            (inventory::NAME, self.inventory),
            (fulfillment::NAME, self.fulfillment),
            (returns::NAME, self.returns),
            (partner::NAME, self.partner),
        ]
    }
}
