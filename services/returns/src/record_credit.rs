//! Records what the order service decided about the credit of a return.

use mesh::Principal;
use proto::order::v1::{OrderCreditProposed, OrderCreditRefused};
use store::{AnyCommand, Command, Context, Needs, Rows};
use types::{Fault, ReturnId};

use crate::{NAME, aggregate::ReturnAggregate, copy::read_id, process::receipt_to_credit::CreditedUnits};

/// Counts decided units of a return.
pub(crate) struct RecordCredit {
    return_id: ReturnId,
    decided: Vec<CreditedUnits>,
}

/// Reacts to a proposed credit; one that no return was the cause of changes nothing here.
pub(crate) fn credit_proposed(event: OrderCreditProposed) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let credit = event.credit.ok_or_else(|| Fault::internal("an event without its credit"))?;
    let decided = credit.lines.iter().map(|line| CreditedUnits {
        line_number: line.line_number.into(),
        credited: line.quantity,
        amount_minor: line.amount_minor,
        ..CreditedUnits::default()
    });
    record(&credit.return_id, decided.collect())
}

/// Reacts to a credit that was refused.
pub(crate) fn credit_refused(event: OrderCreditRefused) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    let decided = event.lines.into_iter().map(|line| CreditedUnits {
        line_number: line.line_number.into(),
        refused: line.quantity,
        ..CreditedUnits::default()
    });
    record(&event.return_id, decided.collect())
}

fn record(return_id: &str, decided: Vec<CreditedUnits>) -> Result<Vec<Box<dyn AnyCommand>>, Fault> {
    if return_id.is_empty() {
        return Ok(Vec::new());
    }
    let return_id = read_id(return_id)?;
    Ok(vec![Box::new(RecordCredit { return_id, decided })])
}

impl Command for RecordCredit {
    type Reply = ();
    const NAME: &'static str = "RecordCredit";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        ReturnAggregate::needs(&self.return_id, &[], rows, needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<(), Fault> {
        let mut aggregate = ReturnAggregate::load(&self.return_id, &[], &Principal::service(NAME), rows)?;
        aggregate.decide_credit(&self.decided);
        aggregate.save(rows, cx).map(|_| ())
    }
}
