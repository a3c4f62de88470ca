//! What makes a program a member of the mesh. A member is one process of it.
//!
//! **Owns** everything that a call passes:
//! - the server stack ([`Server`]) and the client stack ([`Channel`]);
//! - callers ([`Principal`]) and the check of their [`credentials`];
//! - what callers have open and in flight ([`Intake`]);
//! - access rules ([`Access`]), quotas ([`Class`], [`QuotaSetting`]) and usage ([`Usage`]);
//! - deadlines ([`CallInfo::deadline`]) and the announced end of methods ([`Deprecations`]);
//! - faults on the wire ([`status`], [`fault`]), logs and traces ([`telemetry`]), [`metrics`];
//! - settings, probes and the end of a process ([`Config`], [`admin`], [`Stop`], [`Tasks`]).
//!
//! **Promises**: a call in one process passes the same server stack as a call over the network; every call has a
//! request id, a trace and a deadline that only shrinks; a server with a method without an access rule does not start;
//! a server that has to stop ends within its drain timeout, whatever its callers do; calls go to the replicas that
//! answer; a call is repeated only where that is safe, and only by the first channel it passes.
//!
//! **Absent on purpose**: databases, and any service's contract.

mod access;
pub mod admin;
mod body;
mod channel;
mod config;
pub mod credentials;
mod deadline;
mod deprecation;
mod fault;
mod intake;
mod lifecycle;
mod local;
pub mod metrics;
mod observe;
mod peer;
mod principal;
mod process_defaults;
mod quota;
mod request;
mod role;
mod secret;
mod server;
pub mod telemetry;
pub mod tls;
mod usage;
pub mod wire;

pub use access::{Access, AccessError, Rule, Scope};
pub use body::ending_with;
pub use channel::{Channel, ConnectError};
pub use config::{Config, LogFormat};
pub use deprecation::{Deprecation, DeprecationError, Deprecations};
pub use fault::{fault, status};
pub use intake::{Arriving, Connection, Intake, IntakeSettings, Load};
pub use lifecycle::{Panicked, Stop, Tasks, on_signals};
pub use local::{may_be_a_form, refuse_other_sites};
pub use peer::Peer;
pub use principal::{Accounts, KeyBounds, Kind, Principal};
pub use process_defaults::install_process_defaults;
pub use quota::{Class, QuotaSetting};
pub use request::{CallInfo, call, caller};
pub use role::{Role, RoleSet};
pub use secret::Secret;
pub use server::{Limits, Server, ServerError, Wire, accept};
pub use usage::{Counted, Outcome, Usage};
