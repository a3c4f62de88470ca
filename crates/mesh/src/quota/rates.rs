//! The rate of each class of method for each role.

use std::{num::NonZeroU32, time::Duration};

use governor::Quota;
use http::HeaderValue;

use super::class::{Class, QuotaSetting};
use crate::role::{Role, RoleSet};

/// So many calls in so much time. All of them may come at once; they come back evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(super) calls: NonZeroU32,
    pub(super) window: Duration,
}

impl Rate {
    const fn a_minute(calls: NonZeroU32) -> Self {
        Self { calls, window: Duration::from_secs(60) }
    }

    /// The same for the library that counts.
    pub(super) fn quota(self) -> Quota {
        Quota::with_period(self.period()).map_or(Quota::per_second(self.calls), |quota| quota.allow_burst(self.calls))
    }

    /// How long one call takes to come back.
    pub(super) fn period(self) -> Duration {
        self.window / self.calls.get()
    }

    /// `"read";q=600;w=60`
    pub(super) fn policy(self, class: Class) -> HeaderValue {
        let text = format!("\"{}\";q={};w={}", class.as_str(), self.calls, self.window.as_secs());
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    }

    /// For a person.
    pub(super) fn words(self) -> String {
        format!("{} in {} s", self.calls, self.window.as_secs())
    }

    fn is_more_than(self, other: Self) -> bool {
        let weight = |calls: NonZeroU32, window: Duration| u128::from(calls.get()) * window.as_nanos();
        weight(self.calls, other.window) > weight(other.calls, self.window)
    }
}

/// The rate of each role and class; none where there is no limit.
#[derive(Debug)]
pub(crate) struct Rates([[Option<Rate>; Class::ALL.len()]; Role::ALL.len()]);

impl Rates {
    /// The usual rates, changed by settings in their order.
    pub(super) fn new(settings: &[QuotaSetting]) -> Self {
        let mut rates = Role::ALL.map(usual);
        for setting in settings {
            for (role, rates) in Role::ALL.into_iter().zip(&mut rates).filter(|(role, _)| setting.roles.contains(role))
            {
                debug_assert_ne!(role, Role::Service, "a setting never names it");
                for (class, rate) in Class::ALL.into_iter().zip(rates) {
                    if setting.classes.contains(&class) {
                        *rate = setting.rate;
                    }
                }
            }
        }
        Self(rates)
    }

    /// The most generous rate of these roles, and the role that has it; none when one of them has no limit.
    pub(super) fn of(&self, roles: RoleSet, class: Class) -> Option<(Role, Rate)> {
        let roles = if roles.is_empty() { Role::Public.into() } else { roles };
        let mut most: Option<(Role, Rate)> = None;
        for (role, rates) in Role::ALL.into_iter().zip(&self.0).filter(|(role, _)| roles.contains(*role)) {
            let rate = rates[class as usize]?;
            if most.is_none_or(|(_, most)| rate.is_more_than(most)) {
                most = Some((role, rate));
            }
        }
        most
    }

    /// The longest time any budget takes to fill up.
    pub(super) fn longest(&self) -> Duration {
        self.0.iter().flatten().flatten().map(|rate| rate.window).max().unwrap_or_default()
    }
}

/// What a role may call in a minute unless a setting says otherwise: more than a person can click, and more than a
/// program needs that asks again only when something can have changed.
fn usual(role: Role) -> [Option<Rate>; Class::ALL.len()] {
    let (read, write, bulk, stream) = match role {
        Role::Public => (300, 60, 60, 10),
        Role::Customer | Role::CustomerService | Role::Operations => (3_000, 600, 600, 60),
        Role::Partner | Role::Application => (12_000, 12_000, 3_000, 120),
        Role::Service | Role::Administrator => return [None; Class::ALL.len()],
    };
    [read, write, bulk, stream].map(|calls| NonZeroU32::new(calls).map(Rate::a_minute))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(settings: &[&str]) -> Rates {
        Rates::new(&settings.iter().map(|setting| setting.parse().unwrap()).collect::<Vec<_>>())
    }

    fn calls(rates: &Rates, roles: &[Role], class: Class) -> Option<u32> {
        rates.of(roles.iter().copied().collect(), class).map(|(_, rate)| rate.calls.get())
    }

    #[test]
    fn later_settings_take_the_place_of_earlier_ones() {
        let rates = rates(&["*.*=5/1s", "customer.read=7/1m", "partner.*=off"]);
        assert_eq!(calls(&rates, &[Role::Customer], Class::Read), Some(7));
        assert_eq!(calls(&rates, &[Role::Customer], Class::Write), Some(5));
        assert_eq!(calls(&rates, &[Role::Partner], Class::Bulk), None);
        assert_eq!(calls(&rates, &[Role::Administrator], Class::Bulk), Some(5));
        assert_eq!(calls(&rates, &[Role::Service], Class::Bulk), None);
        assert_eq!(calls(&rates, &[], Class::Stream), Some(5));
    }

    #[test]
    fn who_has_several_roles_has_the_rate_of_the_most_generous() {
        let rates = rates(&["customer.read=60/1m", "operations.read=2/1s", "public.read=100/1m"]);
        assert_eq!(calls(&rates, &[Role::Customer, Role::Operations], Class::Read), Some(2));
        assert_eq!(calls(&rates, &[Role::Customer, Role::Administrator], Class::Read), None);
    }

    #[test]
    fn what_is_not_set_has_a_limit_for_all_but_services_and_administrators() {
        let rates = rates(&[]);
        for role in Role::ALL {
            let unlimited = matches!(role, Role::Service | Role::Administrator);
            assert!(Class::ALL.iter().all(|class| calls(&rates, &[role], *class).is_none() == unlimited), "{role:?}");
        }
    }
}
