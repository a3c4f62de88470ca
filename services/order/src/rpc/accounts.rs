//! Accounts and ship-tos.

use mesh::{CallInfo, wire::Checks};
use proto::order::v1 as wire;
use store::{Column, Kind, page::Page};
use types::{AccountId, Fault};

use super::{Api, command_call, parts};
use crate::{
    account::{Changes, CreateAccount, CreateShipTo, DuplicatePoPolicy, InvoicePolicy, UpdateAccount},
    wire::{to_duplicate_po_policy, to_invoice_policy},
};

/// The longest name, contact or telephone number.
const LONGEST: usize = 200;

impl Api {
    pub(super) async fn create_account(
        &self,
        info: &CallInfo,
        request: wire::CreateAccountRequest,
    ) -> Result<wire::Account, Fault> {
        let mut checks = Checks::new();
        let command = read_create(&request, &mut checks);
        checks.done()?;
        let call = command_call(info, &request.request_id, &request);
        self.db.run(call, parts(command)?).await
    }

    pub(super) async fn get_account(
        &self,
        info: &CallInfo,
        request: wire::GetAccountRequest,
    ) -> Result<wire::Account, Fault> {
        let mut checks = Checks::new();
        let account_id = checks.id("account_id", &request.account_id);
        checks.done()?;
        let account_id: AccountId = parts(account_id)?;
        let account = crate::store::account(&self.db, &account_id, info.principal.own_accounts()).await?;
        account.as_ref().map(crate::wire::account).ok_or_else(|| Fault::not_found("account", account_id))
    }

    pub(super) async fn list_accounts(
        &self,
        info: &CallInfo,
        request: wire::ListAccountsRequest,
    ) -> Result<wire::ListAccountsResponse, Fault> {
        let filter: [&str; 1] = [&info.principal.to_string()];
        let page = Page::read("accounts", &filter, &[Kind::Text], request.page_size, &request.page_token)?;
        let mut accounts = crate::store::accounts(&self.db, info.principal.own_accounts(), &page).await?;
        let next_page_token = page.next(&mut accounts, |account| vec![account.account_id.to_value()]);
        let accounts = accounts.iter().map(crate::wire::account).collect();
        Ok(wire::ListAccountsResponse { accounts, next_page_token })
    }

    pub(super) async fn update_account(
        &self,
        info: &CallInfo,
        request: wire::UpdateAccountRequest,
    ) -> Result<wire::Account, Fault> {
        let mut checks = Checks::new();
        let command = read_update(&request, &mut checks);
        checks.done()?;
        let command = parts(command)?;
        if !info.principal.sees(&command.account_id) {
            return Err(Fault::not_found("account", command.account_id));
        }
        self.db.run(command_call(info, &request.request_id, &request), command).await
    }

    pub(super) async fn create_ship_to(
        &self,
        info: &CallInfo,
        request: wire::CreateShipToRequest,
    ) -> Result<wire::ShipTo, Fault> {
        let mut checks = Checks::new();
        checks.optional_text("request_id", &request.request_id, 128);
        let account_id = checks.id("account_id", &request.account_id);
        let ship_to_id = checks.optional_id("ship_to_id", &request.ship_to_id);
        if !request.ship_to_id.is_empty() && !info.principal.is_staff() {
            // Whether an id is taken would tell of other accounts' ship-tos.
            checks.wrong("ship_to_id", "is chosen by the service");
        }
        let address = checks.address("address", request.address.as_ref());
        checks.done()?;
        let account_id: AccountId = parts(account_id)?;
        if !info.principal.sees(&account_id) {
            return Err(Fault::not_found("account", account_id));
        }
        let command = CreateShipTo { account_id, ship_to_id: parts(ship_to_id)?, address: parts(address)? };
        self.db.run(command_call(info, &request.request_id, &request), command).await
    }

    pub(super) async fn list_ship_tos(
        &self,
        info: &CallInfo,
        request: wire::ListShipTosRequest,
    ) -> Result<wire::ListShipTosResponse, Fault> {
        let mut checks = Checks::new();
        let account_id = checks.id("account_id", &request.account_id);
        checks.done()?;
        let account_id: AccountId = parts(account_id)?;
        let filter: [&str; 2] = [&account_id.to_string(), &info.principal.to_string()];
        let page = Page::read("ship_tos", &filter, &[Kind::Text], request.page_size, &request.page_token)?;
        if crate::store::account(&self.db, &account_id, info.principal.own_accounts()).await?.is_none() {
            return Err(Fault::not_found("account", account_id));
        }
        let mut ship_tos = crate::store::ship_tos(&self.db, &account_id, &page).await?;
        let next_page_token = page.next(&mut ship_tos, |ship_to| vec![ship_to.ship_to_id.to_value()]);
        let ship_tos = ship_tos.iter().map(crate::wire::ship_to).collect();
        Ok(wire::ListShipTosResponse { ship_tos, next_page_token })
    }
}

fn read_create(request: &wire::CreateAccountRequest, checks: &mut Checks) -> Option<CreateAccount> {
    let request_id = checks.optional_text("request_id", &request.request_id, 128);
    let account_id = checks.optional_id("account_id", &request.account_id);
    let name = checks.text("name", &request.name, LONGEST);
    let contact = checks.optional_text("contact", &request.contact, LONGEST);
    let phone = checks.optional_text("phone", &request.phone, LONGEST);
    let bill_to = checks.address("bill_to", request.bill_to.as_ref());
    let currency = checks.currency("currency", &request.currency);
    let duplicate = checks.optional_choice("duplicate_po_policy", request.duplicate_po_policy);
    let invoice = checks.optional_choice("invoice_policy", request.invoice_policy);
    request_id?;
    Some(CreateAccount {
        account_id: account_id?,
        name: name?,
        contact: contact?,
        phone: phone?,
        bill_to: bill_to?,
        currency: currency?,
        duplicate_po_policy: to_duplicate_po_policy(duplicate?).unwrap_or(DuplicatePoPolicy::Refuse),
        invoice_policy: to_invoice_policy(invoice?).unwrap_or(InvoicePolicy::OnDelivery),
    })
}

fn read_update(request: &wire::UpdateAccountRequest, checks: &mut Checks) -> Option<UpdateAccount> {
    let request_id = checks.optional_text("request_id", &request.request_id, 128);
    let account_id = checks.id("account_id", &request.account_id);
    let name = request.name.as_ref().map(|name| checks.text("name", name, LONGEST));
    let contact = request.contact.as_ref().map(|contact| checks.optional_text("contact", contact, LONGEST));
    let phone = request.phone.as_ref().map(|phone| checks.optional_text("phone", phone, LONGEST));
    let bill_to = request.bill_to.as_ref().map(|bill_to| checks.address("bill_to", Some(bill_to)));
    let duplicate = request.duplicate_po_policy.map(|number| checks.choice("duplicate_po_policy", number));
    let invoice = request.invoice_policy.map(|number| checks.choice("invoice_policy", number));
    request_id?;
    Some(UpdateAccount {
        account_id: account_id?,
        etag: request.etag.clone(),
        // An outer `Some` says that the field is to change, an inner `None` that it was wrong.
        changes: Changes {
            name: given(name)?,
            contact: given(contact)?,
            phone: given(phone)?,
            bill_to: given(bill_to)?,
            duplicate_po_policy: given(duplicate)?.and_then(to_duplicate_po_policy),
            invoice_policy: given(invoice)?.and_then(to_invoice_policy),
        },
    })
}

/// `None` when a given value was wrong.
fn given<T>(field: Option<Option<T>>) -> Option<Option<T>> {
    match field {
        None => Some(None),
        Some(value) => value.map(Some),
    }
}
