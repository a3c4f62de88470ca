//! The database of a service: its rows, the way commands change them, its event log, subscriptions and tasks.
//!
//! **Owns** the write path. Commands that wait together are one batch: every row they need is loaded together, each
//! command decides in memory in arrival order, changes are written set-wise, events are appended, there is one commit,
//! and each command is answered. A batch of one is the same code. Only this crate names a SQL dialect or opens a pool.
//!
//! **Promises**
//! - A command takes effect wholly or not at all, and durably before it is answered. One that is refused leaves the others
//!   of its batch untouched.
//! - Commands behave as if they had run one after the other, also with several replicas.
//! - A repeated request is answered as the first was.
//! - Event positions have no gaps and are in commit order; a follower skips none and applies none twice.
//! - A task runs until it is done; its effects and its end are one transaction. When it keeps failing, an exception is opened.
//! - An event that a reaction refuses is parked with an exception, until it is replayed.
//!
//! **Absent on purpose**: SQL in services beyond reads, nested transactions, locks a service could hold, deletion of rows.

pub mod backup;
mod batch;
mod command;
mod connection;
mod context;
mod db;
mod dialect;
mod error;
mod event;
mod event_api;
mod exception;
mod failure;
mod file;
mod finish;
mod follower;
mod idempotency;
mod instrument;
pub mod log;
mod meters;
mod migrate;
mod needs;
mod observe;
mod open;
mod options;
pub mod page;
mod park;
mod pool;
mod record;
mod row;
mod rows;
mod span;
mod statement;
mod sums;
mod table;
mod task;
mod value;
mod watchdog;
mod whole;
mod work_api;
mod workers;
mod write_request;
mod writer;

pub use command::{AnyCommand, Call, Command};
pub use connection::postgres::problem::ConnectProblem;
pub use context::Context;
pub use db::Db;
pub use error::Error;
pub use event::NewEvent;
pub use event_api::{EventApi, Viewer};
pub use exception::Exception;
pub use follower::{Follower, Reactions, Subscription, decode};
pub use instrument::Instrumentation;
pub use migrate::Migration;
pub use needs::Needs;
pub use observe::Statement;
pub use options::{Migrate, Options, READERS};
pub use record::{Fields, Key, Record};
pub use row::Row;
pub use rows::Rows;
pub use sums::Sums;
pub use task::{Task, TaskHandler, TaskRunner};
pub use types::Fault;
pub use value::{Column, Kind, Proto, UnknownValue, Value};
pub use watchdog::{Check, Heal};
pub use work_api::WorkApi;
pub use workers::Workers;
