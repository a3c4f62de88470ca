//! Changing an account.

use proto::{order::v1 as wire, types::v1::Address};
use store::{Command, Context, Needs, Proto, Rows};
use types::{AccountId, Fault};

use super::{Account, DuplicatePoPolicy, InvoicePolicy, create::tell};

/// Changes the fields of an account that are set.
#[derive(Debug)]
pub struct UpdateAccount {
    /// The account.
    pub account_id: AccountId,
    /// The etag that was read; any when empty.
    pub etag: String,
    /// What changes.
    pub changes: Changes,
}

/// What changes of an account.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// New name.
    pub name: Option<String>,
    /// New contact.
    pub contact: Option<String>,
    /// New telephone number.
    pub phone: Option<String>,
    /// New billing address.
    pub bill_to: Option<Address>,
    /// New policy.
    pub duplicate_po_policy: Option<DuplicatePoPolicy>,
    /// New policy, for orders placed from now on.
    pub invoice_policy: Option<InvoicePolicy>,
}

impl Command for UpdateAccount {
    type Reply = wire::Account;

    const NAME: &'static str = "UpdateAccount";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        needs.row::<Account>(&self.account_id);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<wire::Account, Fault> {
        let unknown = || Fault::not_found("account", &self.account_id);
        let known = rows.get::<Account>(&self.account_id)?.cloned().ok_or_else(unknown)?;
        Fault::check_etag("account", &self.etag, known.version)?;
        let Changes { name, contact, phone, bill_to, duplicate_po_policy, invoice_policy } = self.changes.clone();
        let changed = Account {
            name: name.unwrap_or_else(|| known.name.clone()),
            contact: contact.unwrap_or_else(|| known.contact.clone()),
            phone: phone.unwrap_or_else(|| known.phone.clone()),
            bill_to: bill_to.map_or_else(|| known.bill_to.clone(), Proto),
            duplicate_po_policy: duplicate_po_policy.unwrap_or(known.duplicate_po_policy),
            invoice_policy: invoice_policy.unwrap_or(known.invoice_policy),
            ..known.clone()
        };
        if changed == known {
            return Ok(crate::wire::account(&known));
        }
        let account = rows.put(Account { update_time: cx.now(), ..changed });
        tell("account.updated", &account, cx);
        Ok(crate::wire::account(&account))
    }
}
