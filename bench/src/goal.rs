//! The figures that have a goal, and whether it was reached.

use serde::Serialize;

use crate::{
    databases::Engine,
    options::Plan,
    record::{Measured, Record, ratio},
    sample::Sample,
    scenario::{
        IDLE, deliver,
        gateway::{self, Path},
        idle, place, read, reserve,
    },
};

/// A figure that is judged, with its aim.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Goal {
    pub(crate) scenario: char,
    pub(crate) engine: Engine,
    pub(crate) what: String,
    pub(crate) value: f64,
    /// The unit of the value; empty for a ratio.
    pub(crate) unit: &'static str,
    /// Nothing for a figure that is shown for comparison only.
    pub(crate) aim: Option<Aim>,
    /// Whether the aim was reached.
    pub(crate) reached: Option<bool>,
}

/// What a value should be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

impl Aim {
    fn is_reached(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }
}

/// All figures for which something was measured.
pub(crate) fn goals(record: &Record, plan: &Plan) -> Vec<Goal> {
    let mut goals = Goals { record, goals: Vec::new() };
    for engine in record.engines() {
        goals.placing(engine, plan);
        goals.rest(engine, plan);
        goals.delivering(engine);
        goals.reading(engine, plan);
        goals.reserving(engine);
        goals.gateway(engine);
        goals.idle(engine);
    }
    goals.goals.sort_by_key(|goal| (goal.scenario, goal.engine));
    goals.goals
}

struct Goals<'a> {
    record: &'a Record,
    goals: Vec<Goal>,
}

fn rate(sample: &Sample) -> Option<f64> {
    Some(sample.per_second)
}

impl Goals<'_> {
    fn add(
        &mut self,
        (scenario, engine): (char, Engine),
        what: impl Into<String>,
        (value, unit): (Option<f64>, &'static str),
        aim: Option<Aim>,
    ) {
        if let Some(value) = value {
            let reached = aim.map(|aim| aim.is_reached(value));
            self.goals.push(Goal { scenario, engine, what: what.into(), value, unit, aim, reached });
        }
    }

    fn find(&self, scenario: char, engine: Engine, what: &str, callers: usize) -> Option<&Measured> {
        self.record.find(scenario, engine, what, callers)
    }

    fn placing(&mut self, engine: Engine, plan: &Plan) {
        let (fewest, most) = plan.fewest_and_most_callers();
        let to_bare = |goals: &Self, what: &str, callers: usize| {
            let (one, bare) =
                (goals.find('b', engine, what, callers), goals.find('a', engine, place::BY_HAND, callers));
            one.zip(bare).and_then(|(one, bare)| ratio(one, bare, rate))
        };
        for (callers, aim) in [(most, 2.0), (fewest, 0.5)] {
            let value = (to_bare(self, place::GRPC, callers), "");
            let what = format!("orders a second, gRPC to bare database, callers: {callers}");
            self.add(('b', engine), what, value, Some(Aim::AtLeast(aim)));
        }
        let value = (to_bare(self, place::BUSY, most), "");
        self.add(
            ('b', engine),
            format!("the same while the whole mesh processes the orders, callers: {most}"),
            value,
            None,
        );
    }

    fn rest(&mut self, engine: Engine, plan: &Plan) {
        for callers in &plan.callers {
            let (rest, grpc) =
                (self.find('c', engine, place::REST, *callers), self.find('b', engine, place::GRPC, *callers));
            let value = rest.zip(grpc).and_then(|(rest, grpc)| ratio(rest, grpc, rate));
            let what = format!("orders a second, REST to gRPC, callers: {callers}");
            self.add(('c', engine), what, (value, ""), Some(Aim::AtLeast(0.7)));
        }
    }

    fn delivering(&mut self, engine: Engine) {
        let delivered = self.find('d', engine, deliver::DELIVERED, deliver::UNDER_WAY);
        let value = delivered.and_then(|delivered| delivered.median.cpu_ms);
        self.add(('d', engine), "CPU of an order from submission to delivered", (value, "ms"), Some(Aim::AtMost(1.0)));
    }

    fn reading(&mut self, engine: Engine, plan: &Plan) {
        let (Some(few), Some(many)) = (plan.sizes.first(), plan.sizes.last()) else { return };
        for kind in read::READS {
            let of = |orders: u64| self.find('e', engine, &kind.of(orders), read::CALLERS);
            let value = of(*many).zip(of(*few)).and_then(|(many, few)| ratio(many, few, |sample| sample.p50_ms));
            let what = format!("{}, median time with {many} orders stored to {few}", kind.name());
            self.add(('e', engine), what, (value, ""), Some(Aim::AtMost(1.2)));
        }
    }

    fn reserving(&mut self, engine: Engine) {
        let of = |what| self.find('f', engine, what, reserve::CALLERS);
        let value = of(reserve::HOT).zip(of(reserve::COLD)).and_then(|(hot, cold)| ratio(hot, cold, rate));
        let what = format!("reservations a second, one item to many, callers: {}", reserve::CALLERS);
        self.add(('f', engine), what, (value, ""), Some(Aim::AtLeast(0.8)));
    }

    fn gateway(&mut self, engine: Engine) {
        for (kind, name, aim) in
            [(gateway::Read::Get, "GetOrder", 70.0), (gateway::Read::List, "ListOrders of 20", 180.0)]
        {
            let of = |path| self.find('g', engine, &gateway::what(kind, path), gateway::CALLERS);
            let (ours, envoy) = (of(Path::Gateway), of(Path::Envoy));
            let micros = ours.and_then(|ours| ours.median.cpu_ms).map(|cpu_ms| cpu_ms * 1_000.0);
            let to_envoy = ours.zip(envoy).and_then(|(ours, envoy)| ratio(ours, envoy, |sample| sample.cpu_ms));
            self.add(('g', engine), format!("the gateway's CPU of a {name}"), (micros, "µs"), Some(Aim::AtMost(aim)));
            let what = format!("the gateway's CPU of a {name} to Envoy's");
            self.add(('g', engine), what, (to_envoy, ""), Some(Aim::AtMost(0.5)));
        }
    }

    fn idle(&mut self, engine: Engine) {
        for (what, aim) in [(idle::RESIDENT, 60.0), (idle::READY, 1_000.0)] {
            if let Some(note) = self.record.find_note(IDLE, engine, what) {
                self.add((IDLE, engine), what, (Some(note.median), note.unit), Some(Aim::AtMost(aim)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_is_reached_on_its_own_side() {
        assert!(Aim::AtLeast(2.0).is_reached(2.0) && !Aim::AtLeast(2.0).is_reached(1.9));
        assert!(Aim::AtMost(1.2).is_reached(1.2) && !Aim::AtMost(1.2).is_reached(1.3));
    }
}
