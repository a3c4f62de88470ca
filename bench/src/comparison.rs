//! How the measured binary compares with the baseline.

use serde::Serialize;

use crate::{
    databases::Engine,
    record::{Measured, Record, ratios},
    sample::{Sample, median},
};

/// The ratios of one value of the measured binary to the baseline's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Comparison {
    pub(crate) scenario: char,
    pub(crate) engine: Engine,
    /// What was done.
    pub(crate) what: String,
    /// How many called at the same time; nothing for a single value.
    pub(crate) callers: Option<usize>,
    /// Which value of it, such as `per second`.
    pub(crate) value: &'static str,
    pub(crate) median: f64,
    /// Repeat by repeat.
    pub(crate) ratios: Vec<f64>,
}

/// Compares everything that was measured of both binaries.
pub(crate) fn compare(candidate: &Record, baseline: &Record) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    let mut add =
        |(scenario, engine, what, callers): (char, Engine, &String, Option<usize>), value, ratios: Vec<f64>| {
            if let Some(median) = median(ratios.iter().copied()) {
                let what = what.clone();
                comparisons.push(Comparison { scenario, engine, what, callers, value, median, ratios });
            }
        };
    for measured in candidate.measured() {
        let Measured { subject, .. } = measured;
        let Some(other) = baseline.find(subject.scenario, subject.engine, &subject.what, subject.callers) else {
            continue;
        };
        let of = (subject.scenario, subject.engine, &subject.what, Some(subject.callers));
        add(of, "per second", ratios(measured, other, |Sample { per_second, .. }| Some(*per_second)));
        add(of, "CPU each", ratios(measured, other, |Sample { cpu_ms, .. }| *cpu_ms));
    }
    for note in candidate.notes() {
        let Some(other) = baseline.find_note(note.scenario, note.engine, &note.what) else { continue };
        let pairs = note.values.iter().zip(&other.values).filter(|(_, other)| **other > 0.0);
        let of = (note.scenario, note.engine, &note.what, None);
        add(of, note.unit, pairs.map(|(value, other)| value / other).collect());
    }
    comparisons
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_of_both_is_compared_repeat_by_repeat() {
        let (mut candidate, mut baseline) = (Record::default(), Record::default());
        for (new, old) in [(20.0, 10.0), (30.0, 30.0), (10.0, 20.0)] {
            candidate.add('b', Engine::Sqlite, "both", 8, Sample::of_rate(new));
            candidate.add('a', Engine::Sqlite, "one", 8, Sample::of_rate(new));
            candidate.note('i', Engine::Sqlite, "memory", "MiB", new * 3.0);
            baseline.add('b', Engine::Sqlite, "both", 8, Sample::of_rate(old));
            baseline.note('i', Engine::Sqlite, "memory", "MiB", old);
        }
        let of = |scenario, what: &str, callers, value, median, ratios: [f64; 3]| Comparison {
            scenario,
            engine: Engine::Sqlite,
            what: what.to_owned(),
            callers,
            value,
            median,
            ratios: ratios.to_vec(),
        };
        let expected = [
            of('b', "both", Some(8), "per second", 1.0, [2.0, 1.0, 0.5]),
            of('i', "memory", None, "MiB", 3.0, [6.0, 3.0, 1.5]),
        ];
        assert_eq!(compare(&candidate, &baseline), expected);
    }
}
