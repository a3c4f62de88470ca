//! Recording what other services say happened.

use std::collections::BTreeMap;

use store::{Command, Context, Needs, Rows};
use types::{Fault, OrderId, ReturnId};

use crate::{
    advance,
    fact::{Fact, Returned},
    progress::Progress,
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

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        advance::needs(&self.order_id, needs);
        if let Fact::Shipped { .. } = self.fact {
            needs.under::<ReturnedLine>(&self.order_id);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut progress = advance::load(rows, &self.order_id)?;
        apply(&mut progress, &self.fact, cx)?;
        if let Fact::Shipped { .. } = self.fact {
            // Returns may have told before that some of these units came back.
            apply(&mut progress, &returned(rows, &self.order_id)?, cx)?;
        }
        advance::save(progress, rows, cx).map(|_| ())
    }
}

fn apply(progress: &mut Progress, fact: &Fact, cx: &Context<'_>) -> Result<(), Fault> {
    let known = |number: &i64| progress.lines.binary_search_by_key(number, |line| line.line_number).is_ok();
    if let Some(number) = fact.line_numbers().into_iter().find(|number| !known(number)) {
        return Err(Fact::unknown_line(number));
    }
    progress.apply(fact, cx.now());
    Ok(())
}

/// How all returns of an order stand together.
fn returned(rows: &Rows, order_id: &OrderId) -> Result<Fact, Fault> {
    let mut lines: BTreeMap<i64, Returned> = BTreeMap::new();
    for line in rows.under::<ReturnedLine>(order_id)? {
        let line_number = line.line_number;
        let sum = lines.entry(line_number).or_insert(Returned { line_number, authorized: 0, received: 0 });
        sum.authorized = sum.authorized.saturating_add(line.authorized);
        sum.received = sum.received.saturating_add(line.received);
    }
    Ok(Fact::Returned(lines.into_values().collect()))
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

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        advance::needs(&self.order_id, needs);
        needs.under::<ReturnedLine>(&self.order_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        for line in &self.lines {
            let key = (self.order_id.clone(), self.return_id.clone(), line.line_number);
            let known = rows.get::<ReturnedLine>(&key)?;
            let (version, return_version) = known.map_or((0, 0), |known| (known.version, known.return_version));
            if return_version >= self.return_version {
                continue;
            }
            rows.put(ReturnedLine {
                order_id: self.order_id.clone(),
                return_id: self.return_id.clone(),
                line_number: line.line_number,
                return_version: self.return_version,
                authorized: line.authorized,
                received: line.received,
                version,
            });
        }
        let mut progress = advance::load(rows, &self.order_id)?;
        apply(&mut progress, &returned(rows, &self.order_id)?, cx)?;
        advance::save(progress, rows, cx).map(|_| ())
    }
}
