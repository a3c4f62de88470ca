//! Test support: fresh databases, services under test, the logs they follow, and time that passes only when the test
//! advances it.
//!
//! A test of a service reads `each(World::open, async |world| { ... })`: [`each`] runs it on every database, `World` is the
//! service's own type around a [`Service`], and [`Log`]s stand for the services that it follows.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot be set up has failed")]

pub mod database;
mod events;
mod fixture;
mod log;
mod pages;
pub mod plans;
mod refusal;
mod service;
pub mod time;

pub use events::Events;
pub use fixture::{START, clock, customer, partner, person, staff, units};
pub use log::{Log, Verification, event};
pub use pages::pages;
pub use refusal::{fault, reason, wrong_fields};
pub use service::{Service, each, peer};

/// Methods of a generated service that a fake does not answer, inside `#[tonic::async_trait] impl`:
/// `unimplemented_methods! { get_item: GetItemRequest => Item; }`.
#[macro_export]
macro_rules! unimplemented_methods {
    ($($method:ident: $request:ty => $reply:ty;)*) => {$(
        // Written as `async_trait` would: it does not see what a macro expands to.
        fn $method<'s, 'f>(
            &'s self,
            _: ::tonic::Request<$request>,
        ) -> ::std::pin::Pin<
            ::std::boxed::Box<dyn Future<Output = Result<::tonic::Response<$reply>, ::tonic::Status>> + Send + 'f>,
        >
        where
            's: 'f,
            Self: 'f,
        {
            ::std::boxed::Box::pin(async { Err(::tonic::Status::unimplemented("not part of the test")) })
        }
    )*};
}
