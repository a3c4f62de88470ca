//! All measurements, by what they measure.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    databases::Engine,
    sample::{Sample, median},
};

/// What samples are of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Subject {
    /// The letter of the scenario.
    pub(crate) scenario: char,
    pub(crate) engine: Engine,
    /// The operation.
    pub(crate) what: String,
    /// How many call at the same time.
    pub(crate) callers: usize,
}

/// All samples of one subject, in the order of the repeats.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    #[serde(flatten)]
    pub(crate) subject: Subject,
    /// The median over the repeats, each value by itself.
    pub(crate) median: Sample,
    pub(crate) samples: Vec<Sample>,
}

/// A single value other than a rate of calls.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Note {
    pub(crate) scenario: char,
    pub(crate) engine: Engine,
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    /// The median over the repeats.
    pub(crate) median: f64,
    /// In the order of the repeats.
    pub(crate) values: Vec<f64>,
}

/// Everything that was measured of one binary.
#[derive(Debug, Default)]
pub(crate) struct Record {
    measured: Vec<Measured>,
    notes: Vec<Note>,
}

impl Record {
    /// Adds a sample to its subject.
    pub(crate) fn add(
        &mut self,
        scenario: char,
        engine: Engine,
        what: impl Into<String>,
        callers: usize,
        sample: Sample,
    ) {
        let subject = Subject { scenario, engine, what: what.into(), callers };
        match self.measured.iter_mut().find(|measured| measured.subject == subject) {
            Some(measured) => {
                measured.samples.push(sample);
                measured.median = Sample::median(&measured.samples);
            }
            None => self.measured.push(Measured { subject, median: sample, samples: vec![sample] }),
        }
    }

    /// Adds a value to its note.
    pub(crate) fn note(
        &mut self,
        scenario: char,
        engine: Engine,
        what: impl Into<String>,
        unit: &'static str,
        value: f64,
    ) {
        let what = what.into();
        match self.notes.iter_mut().find(|note| (note.scenario, note.engine, &note.what) == (scenario, engine, &what)) {
            Some(note) => {
                note.values.push(value);
                note.median = median(note.values.iter().copied()).unwrap_or(value);
            }
            None => self.notes.push(Note { scenario, engine, what, unit, median: value, values: vec![value] }),
        }
    }

    /// Adds what was measured on another engine.
    pub(crate) fn extend(&mut self, other: Self) {
        self.measured.extend(other.measured);
        self.notes.extend(other.notes);
    }

    /// The samples of one subject.
    pub(crate) fn find(&self, scenario: char, engine: Engine, what: &str, callers: usize) -> Option<&Measured> {
        self.measured.iter().find(|measured| {
            let Subject { scenario: of, engine: on, what: done, callers: by } = &measured.subject;
            (*of, *on, done.as_str(), *by) == (scenario, engine, what, callers)
        })
    }

    /// One note.
    pub(crate) fn find_note(&self, scenario: char, engine: Engine, what: &str) -> Option<&Note> {
        self.notes.iter().find(|note| (note.scenario, note.engine, note.what.as_str()) == (scenario, engine, what))
    }

    /// All samples, by scenario and engine, then in the order in which they were first measured.
    pub(crate) fn measured(&self) -> Vec<&Measured> {
        let mut sorted: Vec<_> = self.measured.iter().collect();
        sorted.sort_by_key(|measured| (measured.subject.scenario, measured.subject.engine));
        sorted
    }

    /// All notes, by scenario and engine.
    pub(crate) fn notes(&self) -> Vec<&Note> {
        let mut sorted: Vec<_> = self.notes.iter().collect();
        sorted.sort_by_key(|note| (note.scenario, note.engine));
        sorted
    }

    /// The engines on which something was measured.
    pub(crate) fn engines(&self) -> Vec<Engine> {
        let of_samples = self.measured.iter().map(|measured| measured.subject.engine);
        let engines: BTreeSet<_> = of_samples.chain(self.notes.iter().map(|note| note.engine)).collect();
        engines.into_iter().collect()
    }
}

/// The ratios of one subject's values to another's, repeat by repeat: those were measured side by side.
pub(crate) fn ratios(one: &Measured, other: &Measured, value: fn(&Sample) -> Option<f64>) -> Vec<f64> {
    let pairs = one.samples.iter().zip(&other.samples);
    pairs.filter_map(|(one, other)| Some(value(one)? / value(other).filter(|value| *value > 0.0)?)).collect()
}

/// The median of the ratios.
pub(crate) fn ratio(one: &Measured, other: &Measured, value: fn(&Sample) -> Option<f64>) -> Option<f64> {
    median(ratios(one, other, value).into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_repeat_by_repeat() {
        let mut record = Record::default();
        for (one, other) in [(10.0, 5.0), (100.0, 10.0), (9.0, 3.0)] {
            record.add('b', Engine::Sqlite, "one", 1, Sample::of_rate(one));
            record.add('a', Engine::Sqlite, "other", 1, Sample::of_rate(other));
        }
        let (one, other) = (record.find('b', Engine::Sqlite, "one", 1), record.find('a', Engine::Sqlite, "other", 1));
        let ratio = ratio(one.unwrap(), other.unwrap(), |sample| Some(sample.per_second));
        assert_eq!(ratio, Some(3.0), "the median of 2, 10 and 3");
        assert_eq!(record.measured()[0].subject.scenario, 'a');
    }
}
