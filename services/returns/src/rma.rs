//! A return (return merchandise authorization): its state, and the actions that it supports.

use proto::returns::v1 as contract;
use types::{AccountId, Currency, Fault, NodeId, OrderId, PackageId, ReturnId, Timestamp};

use crate::return_line::ReturnLine;

store::text_enum! {
    /// How far a return is.
    pub(crate) enum ReturnState = contract::ReturnState {
        /// The goods may come back.
        Authorized = "AUTHORIZED",
        /// Some units came back.
        PartiallyReceived = "PARTIALLY_RECEIVED",
        /// All units came back.
        Received = "RECEIVED",
        /// All units came back and were inspected.
        Inspected = "INSPECTED",
        /// Nothing more is expected.
        Closed = "CLOSED",
        /// Cancelled before anything came back.
        Cancelled = "CANCELLED",
    }
}

store::text_enum! {
    /// Whether a credit is due.
    pub(crate) enum CreditState = contract::CreditState {
        /// Not known before the inspection, and until the order service has decided.
        Pending = "PENDING",
        /// An amount is proposed.
        Proposed = "PROPOSED",
        /// None is due.
        NotRefundable = "NOT_REFUNDABLE",
    }
}

store::record! {
    /// A return.
    pub(crate) struct Return in "returns" key (return_id: ReturnId) {
        /// The order.
        order_id: OrderId,
        /// The account that ordered.
        account_id: AccountId,
        /// How far it is.
        state: ReturnState,
        /// Why the customer returns the goods.
        reason: String,
        /// The node that the goods come back to.
        node_id: NodeId,
        /// The package that came back to its sender; none when a customer returns delivered units.
        package_id: Option<PackageId>,
        /// Of the order's prices.
        currency: Currency,
        /// Whether a credit is due.
        credit_state: CreditState,
        /// When it was authorized.
        create_time: Timestamp,
        /// When it last changed.
        update_time: Timestamp,
        /// When an exception was opened because nobody ended it; none again after its next step.
        overdue_time: Option<Timestamp>,
        /// About how long its lines are when they are encoded, so that a page ends by bytes before they are read.
        size_bytes: i64,
    }
}

/// About how long a return is without its lines and its reason, when it is encoded.
const RETURN_BYTES: usize = 500;

/// The same of a line without its SKU.
const LINE_BYTES: usize = 150;

impl Return {
    /// Keeps about how long its lines are when they are encoded.
    pub(crate) fn measure<'a>(&mut self, lines: impl IntoIterator<Item = &'a ReturnLine>) {
        let bytes: usize = lines.into_iter().map(|line| LINE_BYTES + line.sku.len()).sum();
        self.size_bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    }

    /// About how long it is with its lines, when it is encoded.
    pub(crate) fn full_bytes(&self) -> usize {
        let lines = usize::try_from(self.size_bytes).unwrap_or(usize::MAX);
        lines.saturating_add(RETURN_BYTES + self.reason.len())
    }
}

/// An action on a return, as `supported_actions` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Cancel,
    Receive,
    RetractReceipt,
    Inspect,
    Close,
}

impl Action {
    /// Its name in the contract.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cancel => "CancelReturn",
            Self::Receive => "ReceiveReturn",
            Self::RetractReceipt => "RetractReceipt",
            Self::Inspect => "InspectReturn",
            Self::Close => "CloseReturn",
        }
    }
}

impl ReturnState {
    /// The state that follows from what was received and inspected.
    pub(crate) fn of_lines<'a>(lines: impl IntoIterator<Item = &'a ReturnLine>) -> Self {
        let (mut received, mut expected, mut to_inspect) = (false, false, false);
        for line in lines {
            received |= line.received > 0;
            expected |= line.received < line.authorized;
            to_inspect |= line.to_inspect() > 0;
        }
        match (received, expected, to_inspect) {
            (false, _, _) => Self::Authorized,
            (true, true, _) => Self::PartiallyReceived,
            (true, false, true) => Self::Received,
            (true, false, false) => Self::Inspected,
        }
    }

    /// Whether nothing more is expected.
    pub(crate) fn is_ended(self) -> bool {
        matches!(self, Self::Closed | Self::Cancelled)
    }
}

impl Return {
    /// The actions that it supports now. Goods that come after its end are recorded all the same, but not expected.
    pub(crate) fn supported_actions<'a>(&self, lines: impl IntoIterator<Item = &'a ReturnLine>) -> Vec<Action> {
        let (mut received, mut to_inspect) = (false, false);
        for line in lines {
            received |= line.received > 0;
            to_inspect |= line.to_inspect() > 0;
        }
        let open = !self.state.is_ended();
        let actions = [
            (Action::Cancel, open && !received),
            (Action::Receive, open),
            (Action::RetractReceipt, to_inspect),
            (Action::Inspect, to_inspect),
            (Action::Close, open && !to_inspect),
        ];
        actions.into_iter().filter_map(|(action, supported)| supported.then_some(action)).collect()
    }

    /// Refuses an action that it does not support now.
    pub(crate) fn check_supported<'a>(
        &self,
        lines: impl IntoIterator<Item = &'a ReturnLine>,
        action: Action,
    ) -> Result<(), Fault> {
        let supported = self.supported_actions(lines);
        if supported.contains(&action) {
            return Ok(());
        }
        let (return_id, state) = (&self.return_id, self.state.as_str());
        let message = format!("return {return_id} is {state} and does not allow {}", action.name());
        Err(Fault::not_supported(message))
    }

    /// Moves it to a state, and derives whether a credit is due.
    pub(crate) fn move_to<'a>(&mut self, state: ReturnState, lines: impl IntoIterator<Item = &'a ReturnLine>) {
        self.state = state;
        if self.package_id.is_some() {
            return;
        }
        let (mut credited, mut pending) = (false, false);
        for line in lines {
            credited |= line.credit_minor > 0;
            pending |= line.credit_pending() > 0;
        }
        self.credit_state = match state {
            _ if pending => CreditState::Pending,
            _ if credited => CreditState::Proposed,
            ReturnState::Inspected | ReturnState::Closed | ReturnState::Cancelled => CreditState::NotRefundable,
            ReturnState::Authorized | ReturnState::PartiallyReceived | ReturnState::Received => CreditState::Pending,
        };
    }
}
