//! Creating an account.

use proto::{order::v1 as wire, types::v1::Address};
use store::{Command, Context, Needs, NewEvent, Proto, Rows};
use types::{AccountId, Currency, Fault, Reason};

use super::{Account, DuplicatePoPolicy, InvoicePolicy};

/// Creates an account.
#[derive(Debug)]
pub struct CreateAccount {
    /// Its id; made when `None`.
    pub account_id: Option<AccountId>,
    /// Its name.
    pub name: String,
    /// Person to talk to.
    pub contact: String,
    /// Telephone number.
    pub phone: String,
    /// Where bills go.
    pub bill_to: Address,
    /// Of all its orders.
    pub currency: Currency,
    /// What a second order with the same customer PO number gets.
    pub duplicate_po_policy: DuplicatePoPolicy,
    /// When shipped goods become ready to invoice.
    pub invoice_policy: InvoicePolicy,
}

impl Command for CreateAccount {
    type Reply = wire::Account;

    const NAME: &'static str = "CreateAccount";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        if let Some(account_id) = &self.account_id {
            needs.row::<Account>(account_id);
        }
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::Account, Fault> {
        if let Some(account_id) = &self.account_id
            && rows.get::<Account>(account_id)?.is_some()
        {
            let message = format!("account {account_id} exists already");
            return Err(Fault::new(Reason::AlreadyExists, message).fact("account_id", account_id));
        }
        let account = rows.put(Account {
            account_id: self.account_id.clone().unwrap_or_else(|| cx.new_id()),
            name: self.name.clone(),
            contact: self.contact.clone(),
            phone: self.phone.clone(),
            bill_to: Proto(self.bill_to.clone()),
            currency: self.currency,
            duplicate_po_policy: self.duplicate_po_policy,
            invoice_policy: self.invoice_policy,
            create_time: cx.now(),
            update_time: cx.now(),
            version: 0,
        });
        tell("account.created", &account, cx);
        Ok(crate::wire::account(&account))
    }
}

/// Tells that an account changed.
pub(super) fn tell(kind: &'static str, account: &Account, cx: &mut Context<'_>) {
    let fact = wire::AccountChanged { account: Some(crate::wire::account(account)) };
    cx.emit(
        NewEvent::untyped(kind, &account.account_id, account.version, account.version, &fact)
            .account(&account.account_id),
    );
}
