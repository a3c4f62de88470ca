//! The end of a credential while a call goes on that was begun with it: a stream may go on for days.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::time::{Instant, sleep, sleep_until};
use types::Fault;

use super::{Authenticator, Hash, refusal};
use crate::{access::Rule, principal::Principal};

/// Who calls, and what proves it.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who calls.
    pub principal: Principal,
    pub(super) proof: Proof,
}

/// What proves who calls.
#[derive(Debug, Clone)]
pub(super) enum Proof {
    /// It does not end while the process runs: nothing, or the administrator's token.
    Lasting,
    /// A key, after so many changes of keys.
    Key { key: Hash, changes: u64 },
    /// A token that ends then.
    Until(Instant),
}

impl Authenticator {
    /// Waits until a new call with the same credential would be refused, or be another caller's; returns the refusal.
    /// `None` when that does not happen.
    pub fn ended(
        self: &Arc<Self>,
        caller: &Caller,
        path: &str,
        rule: Option<&Rule>,
    ) -> Option<BoxFuture<'static, Fault>> {
        match caller.proof {
            Proof::Lasting => None,
            Proof::Until(end) => Some(Box::pin(async move {
                sleep_until(end).await;
                refusal("expired", "the token has expired")
            })),
            Proof::Key { key, changes } => {
                let (of, principal) = (self.clone(), caller.principal.clone());
                let (path, rule) = (path.to_owned(), rule.copied());
                Some(Box::pin(async move { of.key_ended(key, changes, &principal, &path, rule.as_ref()).await }))
            }
        }
    }

    async fn key_ended(
        &self,
        key: Hash,
        mut changes: u64,
        principal: &Principal,
        path: &str,
        rule: Option<&Rule>,
    ) -> Fault {
        loop {
            tokio::select! {
                () = self.keys.changes.after(changes) => {}
                () = sleep(self.keys.pause()) => {}
            }
            changes = self.keys.changes.count();
            match self.keys.find(key).await {
                Ok(grant) if grant.principal == *principal && grant.scopes.admit(path, rule).is_ok() => {}
                Ok(_) => return refusal("changed", "the access of the API key's client has changed"),
                Err(fault) => return fault,
            }
        }
    }
}
