//! The service on the wire: read the request, run a command or a read, write the answer.

mod accounts;
mod orders;
mod wait;

use mesh::{CallInfo, Channel};
use prost::Message;
use proto::{
    inventory::v1::inventory_service_client::InventoryServiceClient,
    order::v1::{self as wire, order_service_server::OrderService},
};
use store::{Call, Db};
use tonic::{Request, Response, Status};
use types::Fault;

use crate::Config;

/// Answers calls.
pub(crate) struct Api {
    db: Db,
    inventory: InventoryServiceClient<Channel>,
    config: Config,
}

impl Api {
    /// Answers from `db`, asking `inventory` for items that are not known.
    pub(crate) fn new(db: Db, inventory: InventoryServiceClient<Channel>, config: Config) -> Self {
        Self { db, inventory, config }
    }
}

/// The call a command comes with.
fn command_call(info: &CallInfo, request_id: &str, request: &impl Message) -> Call {
    let trace = Some(info.trace_parent.clone()).filter(|trace| !trace.is_empty());
    Call::new(info.principal.actor()).request(request_id, request).trace(trace)
}

/// A request passed its checks, so its parts are there.
fn parts<T>(read: Option<T>) -> Result<T, Fault> {
    read.ok_or_else(|| Fault::internal("a request passed its checks without its parts"))
}

macro_rules! answer {
    ($self:ident . $method:ident ( $request:ident )) => {{
        let info = mesh::call(&$request);
        $self.$method(&info, $request.into_inner()).await.map(Response::new).map_err(mesh::status)
    }};
}

#[tonic::async_trait]
impl OrderService for Api {
    async fn create_account(
        &self,
        request: Request<wire::CreateAccountRequest>,
    ) -> Result<Response<wire::Account>, Status> {
        answer!(self.create_account(request))
    }

    async fn get_account(&self, request: Request<wire::GetAccountRequest>) -> Result<Response<wire::Account>, Status> {
        answer!(self.get_account(request))
    }

    async fn list_accounts(
        &self,
        request: Request<wire::ListAccountsRequest>,
    ) -> Result<Response<wire::ListAccountsResponse>, Status> {
        answer!(self.list_accounts(request))
    }

    async fn update_account(
        &self,
        request: Request<wire::UpdateAccountRequest>,
    ) -> Result<Response<wire::Account>, Status> {
        answer!(self.update_account(request))
    }

    async fn create_ship_to(
        &self,
        request: Request<wire::CreateShipToRequest>,
    ) -> Result<Response<wire::ShipTo>, Status> {
        answer!(self.create_ship_to(request))
    }

    async fn list_ship_tos(
        &self,
        request: Request<wire::ListShipTosRequest>,
    ) -> Result<Response<wire::ListShipTosResponse>, Status> {
        answer!(self.list_ship_tos(request))
    }

    async fn place_order(&self, request: Request<wire::PlaceOrderRequest>) -> Result<Response<wire::Order>, Status> {
        answer!(self.place_order(request))
    }

    async fn get_order(&self, request: Request<wire::GetOrderRequest>) -> Result<Response<wire::Order>, Status> {
        answer!(self.get_order(request))
    }

    async fn list_orders(
        &self,
        request: Request<wire::ListOrdersRequest>,
    ) -> Result<Response<wire::ListOrdersResponse>, Status> {
        answer!(self.list_orders(request))
    }

    async fn cancel_order(&self, request: Request<wire::CancelOrderRequest>) -> Result<Response<wire::Order>, Status> {
        answer!(self.cancel_order(request))
    }

    async fn place_hold(&self, request: Request<wire::PlaceHoldRequest>) -> Result<Response<wire::Order>, Status> {
        answer!(self.place_hold(request))
    }

    async fn release_hold(&self, request: Request<wire::ReleaseHoldRequest>) -> Result<Response<wire::Order>, Status> {
        answer!(self.release_hold(request))
    }

    async fn list_invoice_readiness(
        &self,
        request: Request<wire::ListInvoiceReadinessRequest>,
    ) -> Result<Response<wire::ListInvoiceReadinessResponse>, Status> {
        answer!(self.list_invoice_readiness(request))
    }

    async fn summarize_orders(
        &self,
        request: Request<wire::SummarizeOrdersRequest>,
    ) -> Result<Response<wire::SummarizeOrdersResponse>, Status> {
        answer!(self.summarize_orders(request))
    }
}
