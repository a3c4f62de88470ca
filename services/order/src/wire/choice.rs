//! Enums of the domain and of the wire, value by value.

use proto::{order::v1 as wire, types::v1 as common};

use crate::{
    account::{DuplicatePoPolicy, InvoicePolicy},
    hold::HoldReason,
    item::HandlingClass,
    order::{FillPolicy, LineStatus, State, Status},
};

macro_rules! to_wire {
    ($(#[$doc:meta])* $name:ident: $domain:ident => $wire:path { $($value:ident),+ $(,)? }) => {
        $(#[$doc])*
        pub fn $name(value: $domain) -> $wire {
            use $wire as Wire;
            match value { $($domain::$value => Wire::$value,)+ }
        }
    };
}

macro_rules! from_wire {
    ($(#[$doc:meta])* $name:ident: $wire:path => $domain:ident { $($value:ident),+ $(,)? }) => {
        $(#[$doc])*
        pub fn $name(value: $wire) -> Option<$domain> {
            use $wire as Wire;
            match value { Wire::Unspecified => None, $(Wire::$value => Some($domain::$value),)+ }
        }
    };
}

to_wire! {
    /// A state.
    state: State => wire::OrderState { Submitted, Confirmed, Closed, Rejected, Cancelled }
}

from_wire! {
    /// A state.
    to_state: wire::OrderState => State { Submitted, Confirmed, Closed, Rejected, Cancelled }
}

to_wire! {
    /// A status.
    status: Status => wire::OrderStatus {
        Submitted, Confirmed, Reserved, PartiallyBackordered, Backordered, Released, InFulfillment, PartiallyShipped,
        Shipped, PartiallyDelivered, Delivered, Exception, OnHold, Rejected, Cancelled,
    }
}

from_wire! {
    /// A status.
    to_status: wire::OrderStatus => Status {
        Submitted, Confirmed, Reserved, PartiallyBackordered, Backordered, Released, InFulfillment, PartiallyShipped,
        Shipped, PartiallyDelivered, Delivered, Exception, OnHold, Rejected, Cancelled,
    }
}

to_wire! {
    /// A line's status.
    line_status: LineStatus => wire::LineStatus {
        Pending, Reserved, Backordered, Released, InProcess, PartiallyShipped, Shipped, PartiallyDelivered, Delivered,
        Cancelled,
    }
}

to_wire! {
    /// A fill policy.
    fill_policy: FillPolicy => wire::FillPolicy { FillOrKill, FillAll, FillAllAvailable }
}

to_wire! {
    /// A handling class.
    handling_class: HandlingClass => common::HandlingClass { Ambient, Chilled, Frozen, Hazardous }
}

to_wire! {
    /// A policy.
    duplicate_po_policy: DuplicatePoPolicy => wire::DuplicatePoPolicy { Refuse, Allow }
}

from_wire! {
    /// A policy.
    to_duplicate_po_policy: wire::DuplicatePoPolicy => DuplicatePoPolicy { Refuse, Allow }
}

to_wire! {
    /// A policy.
    invoice_policy: InvoicePolicy => wire::InvoicePolicy { OnShipment, OnDelivery }
}

from_wire! {
    /// A policy.
    to_invoice_policy: wire::InvoicePolicy => InvoicePolicy { OnShipment, OnDelivery }
}

to_wire! {
    /// Why an order is held.
    hold_reason: HoldReason => wire::HoldReason {
        Credit, Fraud, Operator, AddressInvalid, PriceDiscrepancy, AwaitingCustomer, Compliance, External,
    }
}

from_wire! {
    /// Why an order is held.
    to_hold_reason: wire::HoldReason => HoldReason {
        Credit, Fraud, Operator, AddressInvalid, PriceDiscrepancy, AwaitingCustomer, Compliance, External,
    }
}

impl HandlingClass {
    /// The class inventory says; an item without one is kept as most are.
    pub fn of(class: common::HandlingClass) -> Self {
        match class {
            common::HandlingClass::Unspecified | common::HandlingClass::Ambient => Self::Ambient,
            common::HandlingClass::Chilled => Self::Chilled,
            common::HandlingClass::Frozen => Self::Frozen,
            common::HandlingClass::Hazardous => Self::Hazardous,
        }
    }
}
