//! An order gives units out.

use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId};

use crate::release::{Book, Release, ReleaseLine};

/// Keeps a release and has it routed. A release that is known changes nothing.
#[derive(Debug)]
pub struct AcceptRelease {
    /// The release.
    pub release: Release,
    /// Its lines; all of each is without a node.
    pub lines: Vec<ReleaseLine>,
}

impl Command for AcceptRelease {
    type Reply = ();
    const NAME: &'static str = "AcceptRelease";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        Book::needs(&self.release.order_id, self.release.release_number, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let order_id: &OrderId = &self.release.order_id;
        if Book::load(order_id, self.release.release_number, rows)?.is_some() {
            return Ok(());
        }
        let release = Release { create_time: cx.now(), ..self.release.clone() };
        Book::open(release, self.lines.clone()).save(rows, cx)
    }
}
