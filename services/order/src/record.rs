//! Recording what other services say happened.

use store::{Command, Context, Needs, Work};
use types::{Fault, OrderId, ReturnId};

use crate::{
    advance,
    fact::{Fact, Returned},
};

/// Records a fact about an order.
#[derive(Debug)]
pub struct RecordFact {
    /// The order.
    pub order_id: OrderId,
    /// What happened.
    pub fact: Fact,
}

impl Command for RecordFact {
    type Reply = ();

    const NAME: &'static str = "RecordFact";

    fn needs(&self, _: &Work, needs: &mut Needs) {
        advance::needs(&self.order_id, needs);
    }

    fn decide(&self, work: &mut Work, cx: &mut Context<'_>) -> Result<(), Fault> {
        record(&self.order_id, &self.fact, work, cx)
    }
}

fn record(order_id: &OrderId, fact: &Fact, work: &mut Work, cx: &mut Context<'_>) -> Result<(), Fault> {
    let mut progress = advance::load(work, order_id)?;
    let known = |number: &i64| progress.lines.binary_search_by_key(number, |line| line.line_number).is_ok();
    if let Some(number) = fact.line_numbers().into_iter().find(|number| !known(number)) {
        return Err(Fact::unknown_line(number));
    }
    progress.apply(fact, cx.now());
    advance::save(progress, work, cx).map(|_| ())
}

store::record! {
    /// What a return says of a line, as last seen.
    pub struct ReturnedLine in "order_returns" key (order_id: OrderId, return_id: ReturnId, line_number: i64) {
        /// Version of the return.
        return_version: i64,
        /// Units authorized to come back.
        authorized: i64,
        /// Units that came back.
        received: i64,
    }
}

/// Records how a return stands now. Said twice, or something older said later, it changes nothing.
#[derive(Debug)]
pub struct RecordReturn {
    /// The order.
    pub order_id: OrderId,
    /// The return.
    pub return_id: ReturnId,
    /// Tells the newest.
    pub return_version: i64,
    /// Units authorized and received, by line.
    pub lines: Vec<Returned>,
}

impl Command for RecordReturn {
    type Reply = ();

    const NAME: &'static str = "RecordReturn";

    fn needs(&self, _: &Work, needs: &mut Needs) {
        advance::needs(&self.order_id, needs);
        needs.under::<ReturnedLine>(&(self.order_id.clone(), self.return_id.clone()));
    }

    fn decide(&self, work: &mut Work, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut differences = Vec::new();
        for line in &self.lines {
            let key = (self.order_id.clone(), self.return_id.clone(), line.line_number);
            let known = work.get::<ReturnedLine>(&key)?;
            let (version, return_version) = known.map_or((0, 0), |known| (known.version, known.return_version));
            if return_version >= self.return_version {
                continue;
            }
            differences.push(Returned {
                line_number: line.line_number,
                authorized: line.authorized - known.map_or(0, |known| known.authorized),
                received: line.received - known.map_or(0, |known| known.received),
            });
            work.put(ReturnedLine {
                order_id: self.order_id.clone(),
                return_id: self.return_id.clone(),
                line_number: line.line_number,
                return_version: self.return_version,
                authorized: line.authorized,
                received: line.received,
                version,
            });
        }
        record(&self.order_id, &Fact::Returned(differences), work, cx)
    }
}
