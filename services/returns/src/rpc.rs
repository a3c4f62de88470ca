//! The gRPC face: wire in, command or read, wire out.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, MAX_CHOICES},
};
use proto::returns::v1::{
    AuthorizeReturnRequest, CancelReturnRequest, CloseReturnRequest, GetReturnRequest, GetReturnableQuantityRequest,
    GetReturnableQuantityResponse, InspectReturnRequest, ListReturnsRequest, ListReturnsResponse, ReceiveReturnRequest,
    Return, ReturnState, returns_service_server::ReturnsService,
};
use store::{Call, Command, Db};
use tonic::{Request, Response, Status};
use types::Fault;

use crate::{
    authorize::AuthorizeReturn,
    end::{CancelReturn, CloseReturn},
    inspect::InspectReturn,
    receive::ReceiveReturn,
    store as lists, wire,
};

/// Answers the calls of the returns service.
pub(crate) struct Rpc {
    db: Db,
}

impl Rpc {
    /// Answers with a database.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// Runs the command of a request, repeatably under its request id. An answer that was kept for a repeat is told only
    /// while the caller still sees the account.
    async fn run<M: prost::Message, C: Command<Reply = Return>>(
        &self,
        request: Request<M>,
        request_id: fn(&M) -> &str,
        parse: fn(&M, Arc<Principal>) -> Result<C, Fault>,
    ) -> Result<Response<Return>, Status> {
        let info = mesh::call(&request);
        let request = request.into_inner();
        let trace = Some(info.trace_parent).filter(|trace| !trace.is_empty());
        let call = Call::new(info.principal.actor()).request(request_id(&request), &request).trace(trace);
        let command = parse(&request, info.principal.clone()).map_err(mesh::status)?;
        let answer = self.db.run(call, command).await.map_err(mesh::status)?;
        if !answer.account_id.parse().is_ok_and(|account| info.principal.sees(&account)) {
            return Err(mesh::status(Fault::not_found("return", answer.return_id)));
        }
        Ok(Response::new(answer))
    }

    async fn list(&self, caller: &Principal, request: &ListReturnsRequest) -> Result<ListReturnsResponse, Fault> {
        let mut checks = Checks::new();
        let order_id = checks.optional_id("order_id", &request.order_id).flatten();
        let account_id = checks.optional_id("account_id", &request.account_id).flatten();
        let mut states = Vec::new();
        checks.at_most("states", request.states.len(), MAX_CHOICES);
        for (index, number) in request.states.iter().enumerate().take(MAX_CHOICES) {
            let state = checks.choice::<ReturnState>(format!("states[{index}]"), *number);
            states.extend(state.and_then(wire::state));
        }
        checks.done()?;
        states.sort_unstable();
        states.dedup();
        let accounts = caller.own_accounts().clone();
        let filter = lists::Filter { order_id, account_id, states, accounts, caller: caller.to_string() };
        let (page, next_page_token) = lists::list(&self.db, &filter, request.page_size, &request.page_token).await?;
        let returns = page.iter().map(|(rma, lines)| wire::rma(rma, lines)).collect();
        Ok(ListReturnsResponse { returns, next_page_token })
    }
}

fn one_id<I: types::Id>(field: &str, text: &str) -> Result<I, Fault> {
    let mut checks = Checks::new();
    let id = checks.id(field, text);
    checks.done()?;
    id.ok_or_else(|| Fault::internal("a checked id can not be read"))
}

fn reply<T>(result: Result<T, Fault>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(mesh::status)
}

#[tonic::async_trait]
impl ReturnsService for Rpc {
    async fn authorize_return(&self, request: Request<AuthorizeReturnRequest>) -> Result<Response<Return>, Status> {
        self.run(request, |request| &request.request_id, AuthorizeReturn::parse).await
    }

    async fn get_return(&self, request: Request<GetReturnRequest>) -> Result<Response<Return>, Status> {
        let return_id = one_id("return_id", &request.get_ref().return_id).map_err(mesh::status)?;
        let found = lists::find(&self.db, &return_id, mesh::caller(&request)).await;
        reply(found.map(|(rma, lines)| wire::rma(&rma, &lines)))
    }

    async fn list_returns(
        &self,
        request: Request<ListReturnsRequest>,
    ) -> Result<Response<ListReturnsResponse>, Status> {
        reply(self.list(mesh::caller(&request), request.get_ref()).await)
    }

    async fn cancel_return(&self, request: Request<CancelReturnRequest>) -> Result<Response<Return>, Status> {
        self.run(request, |request| &request.request_id, CancelReturn::parse).await
    }

    async fn receive_return(&self, request: Request<ReceiveReturnRequest>) -> Result<Response<Return>, Status> {
        self.run(request, |request| &request.request_id, ReceiveReturn::parse).await
    }

    async fn inspect_return(&self, request: Request<InspectReturnRequest>) -> Result<Response<Return>, Status> {
        self.run(request, |request| &request.request_id, InspectReturn::parse).await
    }

    async fn close_return(&self, request: Request<CloseReturnRequest>) -> Result<Response<Return>, Status> {
        self.run(request, |request| &request.request_id, CloseReturn::parse).await
    }

    async fn get_returnable_quantity(
        &self,
        request: Request<GetReturnableQuantityRequest>,
    ) -> Result<Response<GetReturnableQuantityResponse>, Status> {
        let order_id = one_id("order_id", &request.get_ref().order_id).map_err(mesh::status)?;
        let lines = lists::returnable(&self.db, &order_id, mesh::caller(&request)).await;
        let wire = |(line_number, quantity)| wire::quantity(line_number, quantity);
        reply(lines.map(|lines| GetReturnableQuantityResponse { lines: lines.into_iter().map(wire).collect() }))
    }
}
