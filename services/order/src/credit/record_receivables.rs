//! Records what an account owes for its invoices, as the ERP has it.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{events::OrderEvent, order::v1 as contract, types::v1::Money};
use store::{Command, Context, Needs, NewEvent, Rows};
use types::{AccountId, Currency, Fault, Timestamp, limits::CLOCK_SKEW};

use super::{AccountCredit, release_holds};
use crate::{
    account::{Account, MAX_CREDIT},
    process::settlement::{InvoiceReadiness, ProposedCredit},
};

/// The column by which rows are found that the receivables do not include.
const UNPOSTED: &[&str] = &["unposted_account_id"];

/// Records receivables; those with the newest time count.
#[derive(Debug)]
pub(crate) struct RecordReceivables {
    account_id: AccountId,
    amount_minor: i64,
    currency: Currency,
    as_of: Timestamp,
    includes_ready_until: Timestamp,
}

impl RecordReceivables {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::RecordReceivablesRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let account_id: Option<AccountId> = checks.id("account_id", &request.account_id);
        let amount = read_amount(request.amount.as_ref(), &mut checks);
        let as_of = checks.time("as_of", request.as_of.as_ref());
        let until = checks.optional_time("includes_ready_until", request.includes_ready_until.as_ref());
        if let (Some(as_of), Some(Some(until))) = (as_of, until)
            && until > as_of
        {
            checks.wrong("includes_ready_until", "must not be after as_of");
        }
        checks.done()?;
        let (account_id, (amount_minor, currency)) = (checked(account_id)?, checked(amount)?);
        if !caller.sees(&account_id) {
            return Err(Fault::not_found("account", account_id));
        }
        let as_of = checked(as_of)?;
        let includes_ready_until = checked(until)?.unwrap_or(as_of);
        Ok(Self { account_id, amount_minor, currency, as_of, includes_ready_until })
    }

    /// What of the amounts that became ready to invoice is in the receivables from now on.
    fn post(&self, rows: &mut Rows) -> Result<i64, Fault> {
        let mut posted_minor = 0;
        let ready = rows.by::<InvoiceReadiness>(UNPOSTED, &self.account_id)?.into_iter();
        let ready: Vec<_> = ready.filter(|row| row.ready_time <= self.includes_ready_until).cloned().collect();
        for row in ready {
            posted_minor += minor(row.readiness.0.amount.as_ref());
            rows.put(InvoiceReadiness { unposted_account_id: None, ..row });
        }
        let credits = rows.by::<ProposedCredit>(UNPOSTED, &self.account_id)?.into_iter();
        let credits: Vec<_> = credits.filter(|row| row.propose_time <= self.includes_ready_until).cloned().collect();
        for row in credits {
            posted_minor -= minor(row.credit.0.amount.as_ref());
            rows.put(ProposedCredit { unposted_account_id: None, ..row });
        }
        Ok(posted_minor)
    }
}

fn minor(amount: Option<&Money>) -> i64 {
    amount.map_or(0, |amount| amount.minor_units)
}

fn read_amount(amount: Option<&Money>, checks: &mut Checks) -> Option<(i64, Currency)> {
    let Some(amount) = amount else {
        checks.wrong("amount", "is required");
        return None;
    };
    let currency = checks.currency("amount.currency", &amount.currency);
    if !(-MAX_CREDIT..=MAX_CREDIT).contains(&amount.minor_units) {
        checks.wrong("amount.minor_units", "must be -1,000,000,000,000,000 to 1,000,000,000,000,000");
        return None;
    }
    currency.map(|currency| (amount.minor_units, currency))
}

impl Command for RecordReceivables {
    type Reply = contract::AccountCredit;

    const NAME: &'static str = "RecordReceivables";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Account>(&self.account_id);
        needs.row::<AccountCredit>(&self.account_id);
        needs.by::<InvoiceReadiness>(UNPOSTED, &self.account_id);
        needs.by::<ProposedCredit>(UNPOSTED, &self.account_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::AccountCredit, Fault> {
        let unknown = || Fault::not_found("account", &self.account_id);
        let currency = rows.get::<Account>(&self.account_id)?.ok_or_else(unknown)?.currency;
        let mut checks = Checks::new();
        if self.currency != currency {
            checks.wrong("amount.currency", format!("must be {currency}, the account's"));
        }
        if self.as_of > cx.now().after(CLOCK_SKEW) {
            checks.wrong("as_of", "must not be in the future");
        }
        checks.done()?;
        let known = rows.get::<AccountCredit>(&self.account_id)?.cloned();
        let credit = known.unwrap_or_else(|| AccountCredit::new(self.account_id.clone()));
        if credit.as_of.is_some_and(|as_of| as_of >= self.as_of) {
            return Ok(credit.to_contract(currency));
        }
        let posted_minor = self.post(rows)?;
        let credit = rows.put(AccountCredit {
            receivables_minor: self.amount_minor,
            ready_minor: credit.ready_minor - posted_minor,
            as_of: Some(self.as_of),
            includes_ready_until: credit.includes_ready_until.max(Some(self.includes_ready_until)),
            ..credit
        });
        release_holds(&credit, cx);
        let recorded = credit.to_contract(currency);
        let payload = contract::AccountReceivablesRecorded { credit: Some(recorded.clone()) };
        let payload = OrderEvent::AccountReceivablesRecorded(payload);
        let event = NewEvent::new(payload, &self.account_id, credit.version, self.as_of.as_micros());
        cx.emit(event.account(&self.account_id).occurred(self.as_of, 0));
        Ok(recorded)
    }
}
