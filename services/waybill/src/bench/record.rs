//! What was measured: samples by what they are of, and how they are summed up.

use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;

/// What was measured once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Sample {
    /// Operations in a second.
    pub(super) per_second: f64,
    /// Milliseconds that half of the operations took at most.
    pub(super) p50_ms: Option<f64>,
    /// Milliseconds that 99 of 100 operations took at most.
    pub(super) p99_ms: Option<f64>,
    /// Milliseconds of processor time for one operation, over all counted processes.
    pub(super) cpu_ms: Option<f64>,
    /// MiB of memory at the highest.
    pub(super) peak_mib: Option<f64>,
    /// Calls of 100 that were asked to come later.
    pub(super) refused_percent: f64,
}

impl Sample {
    /// Of how long each of some calls took.
    pub(super) fn of_calls(
        mut took: Vec<Duration>,
        time: Duration,
        cpu_ms: Option<f64>,
        peak_mib: Option<f64>,
    ) -> Self {
        took.sort_unstable();
        let millis = |part: usize| {
            let at = took.len().saturating_sub(1) * part / 100;
            took.get(at).map(|took| took.as_secs_f64() * 1_000.0)
        };
        let calls = took.len() as f64;
        Self {
            per_second: calls / time.as_secs_f64(),
            p50_ms: millis(50),
            p99_ms: millis(99),
            cpu_ms: cpu_ms.filter(|_| calls > 0.0).map(|cpu_ms| cpu_ms / calls),
            peak_mib,
            refused_percent: 0.0,
        }
    }
}

/// Which database was under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Engine {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Engine {
    /// As people write it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// What samples are of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Subject {
    /// Letter of the scenario.
    pub(super) scenario: char,
    /// Which database.
    pub(super) engine: Engine,
    /// What is done.
    pub(super) what: String,
    /// How many call at the same time.
    pub(super) callers: usize,
}

/// All samples of one subject, in the order of the repeats.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Measured {
    #[serde(flatten)]
    pub(super) subject: Subject,
    /// The median over the repeats, each value by itself.
    pub(super) median: Sample,
    pub(super) samples: Vec<Sample>,
}

/// A single value that is no rate of calls.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Note {
    pub(super) scenario: char,
    pub(super) engine: Engine,
    pub(super) what: String,
    pub(super) unit: &'static str,
    /// The median over the repeats.
    pub(super) median: f64,
    pub(super) values: Vec<f64>,
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub(super) struct Record {
    measured: Vec<Measured>,
    notes: Vec<Note>,
}

impl Record {
    /// Adds a sample to its subject.
    pub(super) fn add(
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
                measured.median = median_sample(&measured.samples);
            }
            None => self.measured.push(Measured { subject, median: sample, samples: vec![sample] }),
        }
    }

    /// Adds a value to its note.
    pub(super) fn note(
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

    /// All notes, by scenario and database.
    pub(super) fn notes(&self) -> Vec<&Note> {
        let mut sorted: Vec<_> = self.notes.iter().collect();
        sorted.sort_by_key(|note| (note.scenario, note.engine));
        sorted
    }

    /// The databases that were measured on.
    pub(super) fn engines(&self) -> Vec<Engine> {
        let of_samples = self.measured.iter().map(|measured| measured.subject.engine);
        let engines: BTreeSet<_> = of_samples.chain(self.notes.iter().map(|note| note.engine)).collect();
        engines.into_iter().collect()
    }

    /// Everything, by scenario and database, and else in the order it was first measured.
    pub(super) fn sorted(&self) -> Vec<&Measured> {
        let mut sorted: Vec<_> = self.measured.iter().collect();
        sorted.sort_by_key(|measured| (measured.subject.scenario, measured.subject.engine));
        sorted
    }

    /// The samples of one subject.
    pub(super) fn find(&self, scenario: char, engine: Engine, what: &str, callers: usize) -> Option<&Measured> {
        self.measured.iter().find(|measured| {
            let Subject { scenario: of, engine: on, what: done, callers: by } = &measured.subject;
            (*of, *on, done.as_str(), *by) == (scenario, engine, what, callers)
        })
    }
}

/// The median of what two subjects have to each other, repeat by repeat: those were measured side by side.
pub(super) fn ratio(one: &Measured, other: &Measured, value: fn(&Sample) -> Option<f64>) -> Option<f64> {
    let pairs = one.samples.iter().zip(&other.samples);
    median(pairs.filter_map(|(one, other)| Some(value(one)? / value(other).filter(|value| *value > 0.0)?)))
}

fn median_sample(samples: &[Sample]) -> Sample {
    let of = |value: fn(&Sample) -> Option<f64>| median(samples.iter().filter_map(value));
    Sample {
        per_second: of(|sample| Some(sample.per_second)).unwrap_or_default(),
        p50_ms: of(|sample| sample.p50_ms),
        p99_ms: of(|sample| sample.p99_ms),
        cpu_ms: of(|sample| sample.cpu_ms),
        peak_mib: of(|sample| sample.peak_mib),
        refused_percent: of(|sample| Some(sample.refused_percent)).unwrap_or_default(),
    }
}

/// The middle value, or the mean of the two in the middle.
pub(super) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle)?;
    if values.len() % 2 == 1 { Some(*upper) } else { Some((values.get(middle.checked_sub(1)?)? + upper) / 2.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(per_second: f64) -> Sample {
        Sample { per_second, ..Sample::of_calls(Vec::new(), Duration::from_secs(1), None, None) }
    }

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let took = (1..=100).rev().map(Duration::from_millis).collect();
        let sample = Sample::of_calls(took, Duration::from_secs(2), Some(50.0), None);
        assert_eq!(sample.per_second, 50.0);
        assert_eq!((sample.p50_ms, sample.p99_ms), (Some(50.0), Some(99.0)));
        assert_eq!(sample.cpu_ms, Some(0.5));
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert_eq!(median([4.0, 1.0, 2.0, 9.0].into_iter()), Some(3.0));
        assert_eq!(median([4.0, 1.0, 2.0].into_iter()), Some(2.0));
        assert_eq!(median(std::iter::empty()), None);
    }

    #[test]
    fn a_ratio_is_taken_repeat_by_repeat() {
        let mut record = Record::default();
        for (one, other) in [(10.0, 5.0), (100.0, 10.0), (9.0, 3.0)] {
            record.add('b', Engine::Sqlite, "one", 1, sample(one));
            record.add('a', Engine::Sqlite, "other", 1, sample(other));
        }
        let (one, other) = (record.find('b', Engine::Sqlite, "one", 1), record.find('a', Engine::Sqlite, "other", 1));
        let ratio = ratio(one.unwrap(), other.unwrap(), |sample| Some(sample.per_second));
        assert_eq!(ratio, Some(3.0), "the median of 2, 10 and 3");
        assert_eq!(record.sorted()[0].subject.scenario, 'a');
    }
}
