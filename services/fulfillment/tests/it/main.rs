//! Behaviour of the fulfillment service over a real server, with an inventory and an order log under the test's control.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod answers;
mod cancelling;
mod contradictions;
mod crashes;
mod faster_node;
mod found_units;
mod holds;
mod input;
mod inventory;
mod nodes;
mod pages;
mod partial_cancelling;
mod plans;
mod replicas;
mod reporters;
mod returned_units;
mod reuse;
mod routing;
mod ship_to_change;
mod ship_to_groups;
mod shipping;
mod stale;
mod storms;
mod times;
mod tracking;
mod undelivered;
mod unrouted;
mod watchdog;
mod world;
