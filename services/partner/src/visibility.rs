//! Which partners a caller sees, and for which it may report. Which messages it sees is in `store.rs`.

use mesh::{Principal, Role};
use types::PartnerId;

/// Whether the caller sees the partner: staff see every partner, a partner itself.
pub(crate) fn sees(caller: &Principal, partner_id: &PartnerId) -> bool {
    caller.is_staff() || caller.own_partner() == Some(partner_id)
}

/// Whether the caller may report for the partner. A report is about whatever the partner handles, so of the staff only
/// operations and applications that see every account report for a partner.
pub(crate) fn may_report_for(caller: &Principal, partner_id: &PartnerId) -> bool {
    let reports_for_all = [Role::Operations, Role::Application].into_iter().any(|role| caller.is(role));
    (reports_for_all && caller.sees_all()) || caller.own_partner() == Some(partner_id)
}

#[cfg(test)]
mod tests {
    use mesh::Accounts;

    use super::*;

    #[test]
    fn a_partner_sees_only_itself_and_staff_see_all() {
        let (own, other): (PartnerId, PartnerId) = ("par_a".parse().unwrap(), "par_b".parse().unwrap());
        let partner = Principal { roles: Role::Partner.into(), partner: Some(own.clone()), ..Principal::service("x") };
        assert!(sees(&partner, &own) && !sees(&partner, &other));
        assert!(sees(&Principal::service("x"), &other));
        assert!(!sees(&Principal { partner: None, ..partner }, &own));
        assert!(!sees(&Principal::anonymous(), &own));
    }

    #[test]
    fn who_is_a_partner_and_in_customer_service_reports_only_as_the_partner() {
        let (own, other): (PartnerId, PartnerId) = ("par_a".parse().unwrap(), "par_b".parse().unwrap());
        let roles = [Role::Partner, Role::CustomerService].into_iter().collect();
        let both = Principal { roles, partner: Some(own.clone()), ..Principal::service("x") };
        assert!(sees(&both, &other) && may_report_for(&both, &own) && !may_report_for(&both, &other));
    }

    #[test]
    fn operations_of_some_accounts_report_for_no_partner() {
        let partner: PartnerId = "par_a".parse().unwrap();
        let all = Principal { roles: Role::Operations.into(), ..Principal::service("x") };
        assert!(may_report_for(&all, &partner));
        let some = Principal { accounts: Accounts::Only(vec!["acc_1".parse().unwrap()]), ..all };
        assert!(!may_report_for(&some, &partner));
    }
}
