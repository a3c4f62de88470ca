//! Returns: what may come back, what came back, and what became of it.

use types::{AccountId, Currency, Fault, NodeId, OrderId, ReturnId, Timestamp};

store::text_enum! {
    /// How far a return is.
    pub(crate) enum State {
        /// The goods may come.
        Authorized = "AUTHORIZED",
        /// Some came.
        PartiallyReceived = "PARTIALLY_RECEIVED",
        /// All came.
        Received = "RECEIVED",
        /// All came and was inspected.
        Inspected = "INSPECTED",
        /// Nothing more is expected.
        Closed = "CLOSED",
        /// Called off.
        Cancelled = "CANCELLED",
    }
}

store::text_enum! {
    /// Whether money is due.
    pub(crate) enum CreditState {
        /// Not known yet.
        Pending = "PENDING",
        /// An amount is proposed.
        Proposed = "PROPOSED",
        /// None is due.
        NotRefundable = "NOT_REFUNDABLE",
    }
}

/// What inspected units are fit for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disposition {
    Restock,
    Quarantine,
    Scrap,
    ToVendor,
    ToCustomer,
}

impl Disposition {
    /// Whether the customer gets money for such units.
    pub(crate) fn is_credited(self) -> bool {
        self != Self::ToCustomer
    }
}

store::record! {
    /// A return merchandise authorization.
    pub(crate) struct Rma in "rmas" key (return_id: ReturnId) {
        /// The order.
        order_id: OrderId,
        /// Whose it is.
        account_id: AccountId,
        /// How far it is.
        state: State,
        /// Why the customer returns.
        reason: String,
        /// Where the goods come back to.
        node_id: NodeId,
        /// Of the order's prices.
        currency: Currency,
        /// Whether money is due.
        credit_state: CreditState,
        /// When it was authorized.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
    }
}

store::record! {
    /// A line of a return.
    pub(crate) struct Line in "rma_lines" key (return_id: ReturnId, line_number: i64) {
        /// The item.
        sku: String,
        /// Units that may come back.
        authorized: i64,
        /// Units that came back.
        received: i64,
        /// Units to be sold again.
        restock: i64,
        /// Units kept apart until decided.
        quarantine: i64,
        /// Units thrown away.
        scrap: i64,
        /// Units sent back to who sold them to us.
        to_vendor: i64,
        /// Units sent back to the customer.
        to_customer: i64,
        /// What is proposed to credit for them.
        credit_minor: i64,
    }
}

impl Rma {
    /// What may be asked of it. Goods that come late are recorded in any state, but not expected.
    pub(crate) fn supported_actions(&self, lines: &[Line]) -> Vec<&'static str> {
        let received = lines.iter().any(|line| line.received > 0);
        let to_inspect = lines.iter().any(|line| line.to_inspect() > 0);
        let open = !matches!(self.state, State::Closed | State::Cancelled);
        [
            ("CancelReturn", open && !received),
            ("ReceiveReturn", open),
            ("InspectReturn", to_inspect),
            ("CloseReturn", open && !to_inspect),
        ]
        .into_iter()
        .filter_map(|(action, supported)| supported.then_some(action))
        .collect()
    }

    /// Refuses an action that the state does not allow.
    pub(crate) fn check_supported(&self, lines: &[Line], action: &'static str) -> Result<(), Fault> {
        if self.supported_actions(lines).contains(&action) {
            return Ok(());
        }
        let message = format!("return {} is {} and does not allow {action}", self.return_id, self.state.as_str());
        Err(Fault::not_supported(message).fact("supported_actions", self.supported_actions(lines).join(",")))
    }

    /// The return in a state, and what that says about money.
    pub(crate) fn moved(&self, state: State, lines: &[Line], now: Timestamp) -> Self {
        let credited = lines.iter().any(|line| line.credit_minor > 0);
        let credit_state = match state {
            _ if credited => CreditState::Proposed,
            State::Inspected | State::Closed | State::Cancelled => CreditState::NotRefundable,
            State::Authorized | State::PartiallyReceived | State::Received => CreditState::Pending,
        };
        Self { state, credit_state, update_time: now, ..self.clone() }
    }
}

/// How far a return is whose lines are so.
pub(crate) fn progress(lines: &[Line]) -> State {
    if lines.iter().all(|line| line.received == 0) {
        State::Authorized
    } else if lines.iter().any(|line| line.received < line.authorized) {
        State::PartiallyReceived
    } else if lines.iter().any(|line| line.to_inspect() > 0) {
        State::Received
    } else {
        State::Inspected
    }
}

impl Line {
    /// A line of which nothing came back yet.
    pub(crate) fn new(return_id: ReturnId, line_number: i64, sku: String, authorized: i64) -> Self {
        Self {
            return_id,
            line_number,
            sku,
            authorized,
            received: 0,
            restock: 0,
            quarantine: 0,
            scrap: 0,
            to_vendor: 0,
            to_customer: 0,
            credit_minor: 0,
            version: 0,
        }
    }

    /// Units inspected.
    pub(crate) fn inspected(&self) -> i64 {
        self.restock + self.quarantine + self.scrap + self.to_vendor + self.to_customer
    }

    /// Units that came back and were not inspected.
    pub(crate) fn to_inspect(&self) -> i64 {
        self.received - self.inspected()
    }

    /// Units that no other return may have while this one is in a state.
    pub(crate) fn claim(&self, state: State) -> i64 {
        match state {
            State::Closed | State::Cancelled => self.received,
            State::Authorized | State::PartiallyReceived | State::Received | State::Inspected => {
                self.authorized.max(self.received)
            }
        }
    }

    /// Units that came back beyond what was authorized.
    pub(crate) fn over_received(&self) -> i64 {
        (self.received - self.authorized).max(0)
    }

    /// Expects nothing more than what came.
    pub(crate) fn settled(&self) -> Self {
        Self { authorized: self.received, ..self.clone() }
    }

    /// Counts units that came back.
    pub(crate) fn receive(&self, units: i64) -> Self {
        Self { received: self.received.saturating_add(units), ..self.clone() }
    }

    /// Decides what received units are fit for.
    pub(crate) fn dispose(&self, disposition: Disposition, units: i64) -> Result<Self, Fault> {
        if units > self.to_inspect() {
            let message = format!("line {} has only {} units to inspect", self.line_number, self.to_inspect());
            let fault = Fault::not_supported(message).fact("line_number", self.line_number);
            return Err(fault.fact("to_inspect", self.to_inspect()));
        }
        let mut line = self.clone();
        *match disposition {
            Disposition::Restock => &mut line.restock,
            Disposition::Quarantine => &mut line.quarantine,
            Disposition::Scrap => &mut line.scrap,
            Disposition::ToVendor => &mut line.to_vendor,
            Disposition::ToCustomer => &mut line.to_customer,
        } += units;
        Ok(line)
    }
}

#[cfg(test)]
mod laws;
