//! What is agreed with an account beside its name and address: whether it may order, its payment terms, its credit and its prices.

use mesh::wire::Checks;
use proto::{order::v1 as contract, types::v1::Money};
use store::{Needs, Proto, Rows};
use types::{
    BasisPoints, Currency, Fault, PriceListId,
    limits::{MAX_NAME, MAX_PRICE, MAX_TEXT},
};

use super::{Account, AccountState, CreditPolicy, PricePolicy};
use crate::price::PriceList;

/// The longest code of payment terms.
const MAX_TERMS_CODE: usize = 32;

/// The most days from an invoice until it is due.
const MAX_NET_DAYS: i32 = 3_650;

/// The highest credit limit, and the most that an account can owe, in minor units: sums of such amounts do not overflow.
pub(crate) const MAX_CREDIT: i64 = 1_000_000_000_000_000;

/// The terms that a request names; the others stay.
#[derive(Debug, Clone, Default)]
pub(super) struct NewTerms {
    state: Option<AccountState>,
    block_reason: Option<String>,
    payment_terms: Option<Option<contract::PaymentTerms>>,
    credit_limit: Option<Option<(i64, Currency)>>,
    credit_policy: Option<CreditPolicy>,
    price_list_id: Option<Option<PriceListId>>,
    price_tolerance: Option<Tolerance>,
}

/// How far an expected price may be from the distributor's.
#[derive(Debug, Clone, Copy)]
struct Tolerance {
    points: BasisPoints,
    minor: i64,
    policy: PricePolicy,
}

impl NewTerms {
    /// Reads the terms of a new account.
    pub(super) fn of_new(request: &contract::CreateAccountRequest, checks: &mut Checks) -> Option<Self> {
        let changes = contract::UpdateAccountRequest {
            state: (request.state != 0).then_some(request.state),
            block_reason: (!request.block_reason.is_empty()).then(|| request.block_reason.clone()),
            payment_terms: request.payment_terms.clone(),
            credit_limit: request.credit_limit.clone(),
            credit_policy: (request.credit_policy != 0).then_some(request.credit_policy),
            price_list_id: (!request.price_list_id.is_empty()).then(|| request.price_list_id.clone()),
            price_tolerance: request.price_tolerance,
            ..Default::default()
        };
        Self::read(&changes, checks)
    }

    /// Reads the terms that change.
    pub(super) fn read(request: &contract::UpdateAccountRequest, checks: &mut Checks) -> Option<Self> {
        let state = request.state.map(|number| checks.choice("state", number).and_then(AccountState::from_contract));
        let block_reason =
            request.block_reason.as_ref().map(|reason| checks.optional_text("block_reason", reason, MAX_TEXT));
        let payment_terms = request.payment_terms.as_ref().map(|terms| read_payment_terms(terms, checks));
        let credit_limit = request.credit_limit.as_ref().map(|limit| read_credit_limit(limit, checks));
        let credit_policy = request
            .credit_policy
            .map(|number| checks.choice("credit_policy", number).and_then(CreditPolicy::from_contract));
        let price_list_id = request.price_list_id.as_ref().map(|id| checks.optional_id("price_list_id", id));
        let price_tolerance = request.price_tolerance.as_ref().map(|tolerance| read_tolerance(*tolerance, checks));
        Some(Self {
            state: present(state)?,
            block_reason: present(block_reason)?,
            payment_terms: present(payment_terms)?,
            credit_limit: present(credit_limit)?,
            credit_policy: present(credit_policy)?,
            price_list_id: present(price_list_id)?,
            price_tolerance: present(price_tolerance)?,
        })
    }

    /// Asks for the price list that is named.
    pub(super) fn needs(&self, needs: &mut Needs) {
        if let Some(Some(price_list_id)) = &self.price_list_id {
            needs.row::<PriceList>(price_list_id);
        }
    }

    /// Whether the credit limit is named.
    pub(super) fn names_limit(&self) -> bool {
        self.credit_limit.is_some()
    }

    /// Applies the terms to an account; refuses those that do not fit it.
    pub(super) fn apply(&self, account: &mut Account, rows: &Rows) -> Result<(), Fault> {
        let mut checks = Checks::new();
        self.apply_state(account, &mut checks);
        if let Some(terms) = &self.payment_terms {
            account.payment_terms = terms.clone().map(Proto);
        }
        if let Some(limit) = self.credit_limit {
            if let Some((_, currency)) = limit.filter(|(_, currency)| *currency != account.currency) {
                let must = format!("must be {}, the account's, not {currency}", account.currency);
                checks.wrong("credit_limit.currency", must);
            }
            account.credit_limit_minor = limit.map(|(minor, _)| minor);
        }
        account.credit_policy = self.credit_policy.unwrap_or(account.credit_policy);
        if let Some(price_list_id) = &self.price_list_id {
            let list = price_list_id.as_ref().map(|id| rows.get::<PriceList>(id)).transpose()?;
            match list {
                Some(None) => checks.wrong("price_list_id", "no such price list"),
                Some(Some(list)) if list.currency != account.currency => {
                    checks.wrong("price_list_id", format!("has prices in {}, not the account's", list.currency));
                }
                Some(Some(_)) | None => {}
            }
            account.price_list_id.clone_from(price_list_id);
        }
        if let Some(Tolerance { points, minor, policy }) = self.price_tolerance {
            account.price_tolerance_points = points;
            account.price_tolerance_minor = minor;
            account.price_policy = policy;
        }
        checks.done()
    }

    fn apply_state(&self, account: &mut Account, checks: &mut Checks) {
        account.state = self.state.unwrap_or(account.state);
        if let Some(reason) = &self.block_reason {
            account.block_reason.clone_from(reason);
        } else if account.state == AccountState::Active {
            account.block_reason.clear();
        }
        match account.state {
            AccountState::Blocked if account.block_reason.trim().is_empty() => {
                checks.wrong("block_reason", "is required while the account is BLOCKED");
            }
            AccountState::Active if !account.block_reason.is_empty() => {
                checks.wrong("block_reason", "must be empty while the account is ACTIVE");
            }
            AccountState::Blocked | AccountState::Active => {}
        }
    }
}

/// A part that may be absent: `None` when it is wrong.
#[expect(clippy::option_option, reason = "what is absent is not wrong")]
fn present<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    match part {
        Some(read) => read.map(Some),
        None => Some(None),
    }
}

#[expect(clippy::option_option, reason = "terms without a code are none, and not wrong")]
fn read_payment_terms(terms: &contract::PaymentTerms, checks: &mut Checks) -> Option<Option<contract::PaymentTerms>> {
    if *terms == contract::PaymentTerms::default() {
        return Some(None);
    }
    let code = checks.text("payment_terms.code", &terms.code, MAX_TERMS_CODE);
    let text = checks.optional_text("payment_terms.text", &terms.text, MAX_NAME);
    let fits = (0..=MAX_NET_DAYS).contains(&terms.net_days);
    if !fits {
        checks.wrong("payment_terms.net_days", "must be 0 to 3,650");
    }
    let net_days = fits.then_some(terms.net_days);
    Some(Some(contract::PaymentTerms { code: code?, text: text?, net_days: net_days? }))
}

#[expect(clippy::option_option, reason = "a limit without a currency is none, and not wrong")]
fn read_credit_limit(limit: &Money, checks: &mut Checks) -> Option<Option<(i64, Currency)>> {
    if *limit == Money::default() {
        return Some(None);
    }
    let currency = checks.currency("credit_limit.currency", &limit.currency);
    let fits = (0..=MAX_CREDIT).contains(&limit.minor_units);
    if !fits {
        checks.wrong("credit_limit.minor_units", "must be 0 to 1,000,000,000,000,000");
    }
    let currency = currency.filter(|_| fits)?;
    Some(Some((limit.minor_units, currency)))
}

fn read_tolerance(tolerance: contract::PriceTolerance, checks: &mut Checks) -> Option<Tolerance> {
    let points = BasisPoints::new(tolerance.basis_points.into());
    if points.is_none() {
        checks.wrong("price_tolerance.basis_points", "must be 0 to 10,000");
    }
    let fits = (0..=MAX_PRICE).contains(&tolerance.minor_units);
    if !fits {
        checks.wrong("price_tolerance.minor_units", "must be 0 to 1,000,000,000,000");
    }
    let policy = checks.optional_choice("price_tolerance.policy", tolerance.policy)?;
    let minor = fits.then_some(tolerance.minor_units);
    Some(Tolerance {
        points: points?,
        minor: minor?,
        policy: PricePolicy::from_contract(policy).unwrap_or(PricePolicy::Hold),
    })
}
