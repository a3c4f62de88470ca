//! Which partners' data a caller sees.

use mesh::{Principal, Role};
use types::PartnerId;

/// What a caller sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum View {
    /// Every partner's.
    All,
    /// One partner's.
    Own(PartnerId),
    /// Nobody's.
    Nothing,
}

impl View {
    /// What the principal sees: everything as one of the distributor's own, its partner's as a partner.
    pub(crate) fn of(principal: &Principal) -> Self {
        if principal.is_staff() { Self::All } else { Self::of_partner(principal) }
    }

    /// Whom the principal may report for: not every one of the distributor's own may do so for all.
    pub(crate) fn of_reporter(principal: &Principal) -> Self {
        let for_all = [Role::Operations, Role::Application].into_iter().any(|role| principal.is(role));
        if for_all { Self::All } else { Self::of_partner(principal) }
    }

    fn of_partner(principal: &Principal) -> Self {
        principal.own_partner().map_or(Self::Nothing, |partner| Self::Own(partner.clone()))
    }

    /// Whether the partner's data is seen.
    pub(crate) fn shows(&self, partner_id: &PartnerId) -> bool {
        match self {
            Self::All => true,
            Self::Own(own) => own == partner_id,
            Self::Nothing => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partner_sees_only_its_data_and_staff_see_all() {
        let (own, other): (PartnerId, PartnerId) = ("par_a".parse().unwrap(), "par_b".parse().unwrap());
        let partner = Principal { roles: Role::Partner.into(), partner: Some(own.clone()), ..Principal::service("x") };
        assert!(View::of(&partner).shows(&own) && !View::of(&partner).shows(&other));
        assert!(View::of(&Principal::service("x")).shows(&other));
        let without = Principal { partner: None, ..partner };
        assert_eq!(View::of(&without), View::Nothing);
        assert!(!View::of(&Principal::nobody()).shows(&own));
    }

    #[test]
    fn who_is_a_partner_and_in_customer_service_reports_only_as_the_partner() {
        let own: PartnerId = "par_a".parse().unwrap();
        let roles = [Role::Partner, Role::CustomerService].into_iter().collect();
        let both = Principal { roles, partner: Some(own.clone()), ..Principal::service("x") };
        assert_eq!((View::of(&both), View::of_reporter(&both)), (View::All, View::Own(own)));
    }
}
