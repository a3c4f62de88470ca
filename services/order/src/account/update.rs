//! Changes an account.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{events::OrderEvent, order::v1 as contract, types::v1::Address};
use store::{Command, Context, Needs, Proto, Rows};
use types::{AccountId, Fault, limits::MAX_NAME};

use super::{Account, DuplicatePoPolicy, InvoicePolicy, terms::NewTerms, words::AccountWord};
use crate::credit;

/// Changes the fields of an account that are `Some`.
#[derive(Debug)]
pub(crate) struct UpdateAccount {
    account_id: AccountId,
    etag: String,
    name: Option<String>,
    contact: Option<String>,
    phone: Option<String>,
    bill_to: Option<Address>,
    duplicate_po_policy: Option<DuplicatePoPolicy>,
    invoice_policy: Option<InvoicePolicy>,
    terms: NewTerms,
}

impl UpdateAccount {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::UpdateAccountRequest, caller: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let account_id = checks.id("account_id", &request.account_id);
        let name = request.name.as_ref().map(|name| checks.text("name", name, MAX_NAME));
        let contact = request.contact.as_ref().map(|contact| checks.optional_text("contact", contact, MAX_NAME));
        let phone = request.phone.as_ref().map(|phone| checks.optional_text("phone", phone, MAX_NAME));
        let bill_to = request.bill_to.as_ref().map(|bill_to| checks.address("bill_to", Some(bill_to)));
        let duplicate = request.duplicate_po_policy.map(|number| checks.choice("duplicate_po_policy", number));
        let invoice = request.invoice_policy.map(|number| checks.choice("invoice_policy", number));
        let terms = NewTerms::read(request, &mut checks);
        checks.done()?;
        let account_id = checked(account_id)?;
        if !caller.sees(&account_id) {
            return Err(Fault::not_found("account", account_id));
        }
        Ok(Self {
            account_id,
            etag: request.etag.clone(),
            name: name.map(checked).transpose()?,
            contact: contact.map(checked).transpose()?,
            phone: phone.map(checked).transpose()?,
            bill_to: bill_to.map(checked).transpose()?,
            duplicate_po_policy: duplicate.map(checked).transpose()?.and_then(DuplicatePoPolicy::from_contract),
            invoice_policy: invoice.map(checked).transpose()?.and_then(InvoicePolicy::from_contract),
            terms: checked(terms)?,
        })
    }
}

impl Command for UpdateAccount {
    type Reply = contract::Account;

    const NAME: &'static str = "UpdateAccount";

    fn needs(&self, rows: &Rows, needs: &mut Needs) {
        needs.row::<Account>(&self.account_id);
        AccountWord::needs(&self.account_id, needs);
        self.terms.needs(needs);
        if self.terms.names_limit()
            && let Ok(Some(account)) = rows.get::<Account>(&self.account_id)
        {
            credit::needs_to_set_limit(account, rows, needs);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Account, Fault> {
        let unknown = || Fault::not_found("account", &self.account_id);
        let known = rows.get::<Account>(&self.account_id)?.cloned().ok_or_else(unknown)?;
        Fault::check_etag("account", &self.etag, known.version)?;
        let mut changed = Account {
            name: self.name.clone().unwrap_or_else(|| known.name.clone()),
            contact: self.contact.clone().unwrap_or_else(|| known.contact.clone()),
            phone: self.phone.clone().unwrap_or_else(|| known.phone.clone()),
            bill_to: self.bill_to.clone().map_or_else(|| known.bill_to.clone(), Proto),
            duplicate_po_policy: self.duplicate_po_policy.unwrap_or(known.duplicate_po_policy),
            invoice_policy: self.invoice_policy.unwrap_or(known.invoice_policy),
            ..known.clone()
        };
        self.terms.apply(&mut changed, rows)?;
        if changed == known {
            return Ok(crate::wire::account(&known));
        }
        if changed.name != known.name {
            AccountWord::replace(&self.account_id, &changed.name, rows)?;
        }
        if changed.credit_limit_minor != known.credit_limit_minor {
            credit::set_limit(&changed, rows, cx)?;
        }
        Ok(Account { update_time: cx.now(), ..changed }.save(OrderEvent::AccountUpdated, rows, cx))
    }
}
