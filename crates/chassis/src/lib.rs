//! How a service answers calls: the code that all services share above the mesh and the store.
//!
//! **Owns** the dispatch of a request: it is parsed into a command, run repeatably under its request id, and answered.
//! A service declares its methods with [`rpc!`]; nothing else dispatches. [`server`] makes a service's server.
//!
//! **Promises**: request ids have one form and one scope (the caller's [`Actor`](types::Actor)) in every service; a
//! kept answer passes the same visibility rule as a fresh one, where the method has one; each refusal becomes a status
//! in one place; conditions for what a caller sees are made by one builder ([`Select`]).
//!
//! **Absent on purpose**: any service's contract or domain.

mod dispatch;
mod rpc;
mod select;

use std::{collections::HashSet, sync::Arc};

use mesh::{Accounts, CallInfo, Server, ServerError};
use proto::event::v1::{event_service_server::EventServiceServer, work_service_server::WorkServiceServer};
use store::{Db, EventApi, WorkApi};

pub use dispatch::{Answers, answer, call, command, normal, repeatable_call, shown, shown_each};
pub use select::Select;

/// A server for the service `name`, which serves the log and the failed work of its database and is ready when the database
/// is.
pub fn server(name: &'static str, db: &Db, config: &mesh::Config) -> Result<Server, ServerError> {
    let ready = db.clone();
    Ok(Server::new(name, config, proto::pool())
        .add_service(EventServiceServer::new(EventApi::new(db.clone()).seen_by(accounts)))
        .add_service(WorkServiceServer::new(WorkApi::new(db.clone())))
        .with_readiness(move || {
            let db = ready.clone();
            async move { db.ready().await }
        }))
}

/// The accounts whose events a caller sees as one of the distributor's own; `None` when it sees every account.
fn accounts(call: &tonic::Extensions) -> Option<HashSet<String>> {
    let caller = call.get::<Arc<CallInfo>>().map(|call| call.principal.staff_accounts());
    match caller {
        Some(Accounts::All) => None,
        Some(Accounts::Only(accounts)) => Some(accounts.iter().map(ToString::to_string).collect()),
        None => Some(HashSet::new()),
    }
}
