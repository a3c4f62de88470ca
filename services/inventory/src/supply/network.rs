//! The most units that demands can have of supplies when each demand reaches some supplies only.
//!
//! Units are pushed along augmenting paths: a demand takes what a supply has left, or takes over units of another demand that
//! reaches further. What a demand has been given it keeps, if not from the same supply.

use std::collections::VecDeque;

/// Demands, supplies, and who has how much of which.
#[derive(Debug, Clone)]
pub(super) struct Network {
    /// Units that no demand has, by supply.
    left: Vec<i64>,
    /// The supplies that each demand reaches.
    reached: Vec<Vec<usize>>,
    /// Units that each demand has of each supply.
    given: Vec<Vec<i64>>,
}

impl Network {
    pub(super) fn new(supplies: Vec<i64>, reached: Vec<Vec<usize>>) -> Self {
        let given = vec![vec![0; supplies.len()]; reached.len()];
        Self { left: supplies, reached, given }
    }

    /// Takes units off a supply before anything is given.
    pub(super) fn take(&mut self, supply: usize, units: i64) {
        if let Some(left) = self.left.get_mut(supply) {
            *left -= units;
        }
    }

    /// Gives demands as many units as possible, up to what they want; returns how many in all.
    pub(super) fn satisfy(&mut self, wanted: impl Iterator<Item = (usize, i64)>) -> i64 {
        wanted.map(|(demand, units)| self.push(demand, units)).sum()
    }

    /// Gives a demand as many more units as possible, up to `units`; returns how many.
    pub(super) fn push(&mut self, demand: usize, units: i64) -> i64 {
        let mut pushed = 0;
        while pushed < units {
            let Some(path) = self.path(demand) else { break };
            let most = path.iter().filter_map(|step| step.from.map(|other| self.has(other, step.supply)));
            let last = path.last().map_or(0, |step| self.left.get(step.supply).copied().unwrap_or(0));
            let amount = most.fold(last, i64::min).min(units - pushed);
            self.give(&path, amount);
            pushed += amount;
        }
        pushed
    }

    fn has(&self, demand: usize, supply: usize) -> i64 {
        self.given.get(demand).and_then(|given| given.get(supply)).copied().unwrap_or(0)
    }

    /// A shortest path from a demand to a supply with units left.
    fn path(&self, demand: usize) -> Option<Vec<Step>> {
        // How each supply was reached: by a demand, which had come from another supply.
        let mut reached_by: Vec<Option<(usize, Option<usize>)>> = vec![None; self.left.len()];
        let mut queue = VecDeque::from([(demand, None)]);
        let mut seen = vec![false; self.reached.len()];
        while let Some((taker, came_from)) = queue.pop_front() {
            if std::mem::replace(seen.get_mut(taker)?, true) {
                continue;
            }
            for supply in self.reached.get(taker)?.iter().copied() {
                if reached_by.get(supply)?.is_some() {
                    continue;
                }
                *reached_by.get_mut(supply)? = Some((taker, came_from));
                if self.left.get(supply).is_some_and(|left| *left > 0) {
                    return self.steps(supply, &reached_by);
                }
                let holders = (0..self.reached.len()).filter(|holder| self.has(*holder, supply) > 0);
                queue.extend(holders.map(|holder| (holder, Some(supply))));
            }
        }
        None
    }

    /// The steps of a path, from the demand to the supply with units left.
    fn steps(&self, end: usize, reached_by: &[Option<(usize, Option<usize>)>]) -> Option<Vec<Step>> {
        let mut steps = Vec::new();
        let mut next = Some((end, None));
        while let Some((supply, from)) = next {
            let (taker, came_from) = (*reached_by.get(supply)?)?;
            steps.push(Step { taker, supply, from });
            next = came_from.map(|supply| (supply, Some(taker)));
        }
        steps.reverse();
        Some(steps)
    }

    fn give(&mut self, path: &[Step], amount: i64) {
        let change = |given: &mut Vec<Vec<i64>>, demand: usize, supply: usize, by: i64| {
            if let Some(units) = given.get_mut(demand).and_then(|given| given.get_mut(supply)) {
                *units += by;
            }
        };
        for step in path {
            change(&mut self.given, step.taker, step.supply, amount);
            match step.from {
                Some(holder) => change(&mut self.given, holder, step.supply, -amount),
                None => {
                    if let Some(left) = self.left.get_mut(step.supply) {
                        *left -= amount;
                    }
                }
            }
        }
    }
}

/// A demand takes units of a supply: from another demand, or what is left.
#[derive(Debug, Clone, Copy)]
struct Step {
    taker: usize,
    supply: usize,
    from: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demand_that_reaches_further_makes_room_for_one_that_does_not() {
        // The first demand reaches both supplies, the second only the first one.
        let mut network = Network::new(vec![10, 10], vec![vec![0, 1], vec![0]]);
        assert_eq!(network.push(0, 10), 10);
        assert_eq!(network.push(1, 99), 10);
        assert_eq!((network.push(0, 1), network.push(1, 1)), (0, 0));
        assert_eq!((network.has(0, 1), network.has(1, 0)), (10, 10));
    }

    #[test]
    fn units_move_along_a_chain_of_demands() {
        let mut network = Network::new(vec![1, 1, 1], vec![vec![0, 1], vec![1, 2], vec![0]]);
        assert_eq!(network.satisfy([(0, 1), (1, 1), (2, 1)].into_iter()), 3);
        let mut short = Network::new(vec![1, 1], vec![vec![0, 1], vec![0, 1], vec![0]]);
        assert_eq!(short.satisfy([(0, 1), (1, 1), (2, 1)].into_iter()), 2);
    }
}
