//! Creates an account.

use std::sync::Arc;

use mesh::{
    Principal,
    wire::{Checks, checked},
};
use proto::{events::OrderEvent, order::v1 as contract, types::v1::Address};
use store::{Command, Context, Needs, Proto, Rows};
use types::{AccountId, BasisPoints, Currency, Fault, Reason, limits::MAX_NAME};

use super::{
    Account, AccountState, CreditPolicy, DuplicatePoPolicy, InvoicePolicy, OwnPrices, PricePolicy, terms::NewTerms,
    words::AccountWord,
};
use crate::credit;

/// Creates an account.
#[derive(Debug)]
pub(crate) struct CreateAccount {
    /// Its id; made when `None`.
    account_id: Option<AccountId>,
    name: String,
    contact: String,
    phone: String,
    bill_to: Address,
    currency: Currency,
    duplicate_po_policy: DuplicatePoPolicy,
    invoice_policy: InvoicePolicy,
    terms: NewTerms,
}

impl CreateAccount {
    /// Reads the request.
    pub(crate) fn parse(request: &contract::CreateAccountRequest, _: &Arc<Principal>) -> Result<Self, Fault> {
        let mut checks = Checks::new();
        let account_id = checks.optional_id("account_id", &request.account_id);
        let name = checks.text("name", &request.name, MAX_NAME);
        let contact = checks.optional_text("contact", &request.contact, MAX_NAME);
        let phone = checks.optional_text("phone", &request.phone, MAX_NAME);
        let bill_to = checks.address("bill_to", request.bill_to.as_ref());
        let currency = checks.currency("currency", &request.currency);
        let duplicate = checks.optional_choice("duplicate_po_policy", request.duplicate_po_policy);
        let invoice = checks.optional_choice("invoice_policy", request.invoice_policy);
        let terms = NewTerms::of_new(request, &mut checks);
        checks.done()?;
        Ok(Self {
            account_id: checked(account_id)?,
            name: checked(name)?,
            contact: checked(contact)?,
            phone: checked(phone)?,
            bill_to: checked(bill_to)?,
            currency: checked(currency)?,
            duplicate_po_policy: DuplicatePoPolicy::from_contract(checked(duplicate)?)
                .unwrap_or(DuplicatePoPolicy::Refuse),
            invoice_policy: InvoicePolicy::from_contract(checked(invoice)?).unwrap_or(InvoicePolicy::OnDelivery),
            terms: checked(terms)?,
        })
    }
}

impl Command for CreateAccount {
    type Reply = contract::Account;

    const NAME: &'static str = "CreateAccount";

    fn needs(&self, _: &Rows, needs: &mut Needs) {
        if let Some(account_id) = &self.account_id {
            needs.row::<Account>(account_id);
        }
        self.terms.needs(needs);
    }

    fn decide(&self, rows: &mut Rows, cx: &mut Context<'_>) -> Result<contract::Account, Fault> {
        if let Some(account_id) = &self.account_id
            && rows.get::<Account>(account_id)?.is_some()
        {
            let message = format!("account {account_id} exists already");
            return Err(Fault::new(Reason::AlreadyExists, message).fact("account_id", account_id));
        }
        let mut account = Account {
            account_id: self.account_id.clone().unwrap_or_else(|| cx.new_id()),
            name: self.name.clone(),
            contact: self.contact.clone(),
            phone: self.phone.clone(),
            bill_to: Proto(self.bill_to.clone()),
            currency: self.currency,
            duplicate_po_policy: self.duplicate_po_policy,
            invoice_policy: self.invoice_policy,
            state: AccountState::Active,
            block_reason: String::new(),
            payment_terms: None,
            credit_limit_minor: None,
            credit_policy: CreditPolicy::Hold,
            price_list_id: None,
            own_prices: OwnPrices::Never,
            price_tolerance_points: BasisPoints::default(),
            price_tolerance_minor: 0,
            price_policy: PricePolicy::Hold,
            create_time: cx.now(),
            update_time: cx.now(),
            version: 0,
        };
        self.terms.apply(&mut account, rows)?;
        credit::open(&account, rows);
        AccountWord::keep(&account.account_id, &account.name, rows);
        Ok(account.save(OrderEvent::AccountCreated, rows, cx))
    }
}
