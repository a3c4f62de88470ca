//! Which partners' data a caller sees, and for which it may report.

use mesh::{Principal, Role};
use types::PartnerId;

/// The partners whose data a caller sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// Every partner.
    All,
    /// One partner.
    Own(PartnerId),
    /// No partner.
    Nothing,
}

impl Visibility {
    /// What the principal sees: all partners as staff of the distributor, its own as a partner.
    pub(crate) fn of(principal: &Principal) -> Self {
        if principal.is_staff() { Self::All } else { Self::of_partner(principal) }
    }

    /// The partners that the principal may report for. Of the staff only operations and applications report for all.
    pub(crate) fn of_reporter(principal: &Principal) -> Self {
        let for_all = [Role::Operations, Role::Application].into_iter().any(|role| principal.is(role));
        if for_all { Self::All } else { Self::of_partner(principal) }
    }

    fn of_partner(principal: &Principal) -> Self {
        principal.own_partner().map_or(Self::Nothing, |partner| Self::Own(partner.clone()))
    }

    /// Whether the partner's data is visible.
    pub(crate) fn includes(&self, partner_id: &PartnerId) -> bool {
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
        assert!(Visibility::of(&partner).includes(&own) && !Visibility::of(&partner).includes(&other));
        assert!(Visibility::of(&Principal::service("x")).includes(&other));
        let without = Principal { partner: None, ..partner };
        assert_eq!(Visibility::of(&without), Visibility::Nothing);
        assert!(!Visibility::of(&Principal::anonymous()).includes(&own));
    }

    #[test]
    fn who_is_a_partner_and_in_customer_service_reports_only_as_the_partner() {
        let own: PartnerId = "par_a".parse().unwrap();
        let roles = [Role::Partner, Role::CustomerService].into_iter().collect();
        let both = Principal { roles, partner: Some(own.clone()), ..Principal::service("x") };
        assert_eq!((Visibility::of(&both), Visibility::of_reporter(&both)), (Visibility::All, Visibility::Own(own)));
    }
}
