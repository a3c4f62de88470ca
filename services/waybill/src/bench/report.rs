//! What was measured, for people and for programs.

use std::{fmt::Write as _, fs};

use serde::Serialize;

use super::{
    Plan,
    goal::{Aim, Goal, goals},
    record::{Measured, Note, Record},
};

/// Everything that is told.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    /// What it ran on.
    pub(super) machine: Vec<String>,
    /// Seconds of each measurement.
    pub(super) seconds: f64,
    /// How often each was repeated.
    pub(super) repeats: u64,
    pub(super) goals: Vec<Goal>,
    pub(super) measured: Vec<&'a Measured>,
    pub(super) notes: Vec<&'a Note>,
}

impl<'a> Report<'a> {
    /// Of what was measured.
    pub(super) fn new(record: &'a Record, plan: &Plan, machine: Vec<String>) -> Self {
        Self {
            machine,
            seconds: plan.time.as_secs_f64(),
            repeats: plan.repeats,
            goals: goals(record, plan),
            measured: record.sorted(),
            notes: record.notes(),
        }
    }

    /// As JSON.
    pub(super) fn json(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// As tables of text.
    pub(super) fn table(&self) -> String {
        let mut text = format!("{}\n", self.machine.join("\n"));
        let mut line = |line: &str| {
            text.push_str(line.trim_end());
            text.push('\n');
        };
        line(&format!("{} s for each measurement, the median of {}", self.seconds, self.repeats));
        line("CPU is of all processes under test, the database included; memory is without the database server's");
        line("");
        let head = ["", "callers", "per second", "p50 ms", "p99 ms", "CPU ms each", "peak MiB", "refused %"];
        line(&row("", "", &head));
        for Measured { subject, median, .. } in &self.measured {
            let cells = [
                subject.what.clone(),
                subject.callers.to_string(),
                number(Some(median.per_second)),
                number(median.p50_ms),
                number(median.p99_ms),
                number(median.cpu_ms),
                number(median.peak_mib),
                number(Some(median.refused_percent).filter(|percent| *percent > 0.0)),
            ];
            line(&row(&subject.scenario.to_string(), subject.engine.name(), &cells.each_ref().map(String::as_str)));
        }
        line("");
        for note in &self.notes {
            let value = format!("{} {}", number(Some(note.median)), note.unit);
            line(&format!("{}  {:10}  {:64} {value}", note.scenario, note.engine.name(), note.what));
        }
        line("");
        for goal in &self.goals {
            let value = format!("{} {}", number(Some(goal.value)), goal.unit);
            let (engine, what) = (goal.engine.name(), &goal.what);
            line(&format!("{}  {engine:10}  {what:74} {value:>12}   {}", goal.scenario, told(goal)));
        }
        text
    }
}

/// What was aimed at and whether it was reached.
pub(super) fn told(goal: &Goal) -> String {
    let aim = match goal.aim {
        Some(Aim::AtLeast(least)) => format!("at least {least}"),
        Some(Aim::AtMost(most)) => format!("at most {most}"),
        None => return String::new(),
    };
    let reached = if goal.reached == Some(true) { "reached" } else { "not reached" };
    format!("{aim} {}: {reached}", goal.unit).replace(" :", ":")
}

fn row(scenario: &str, engine: &str, cells: &[&str; 8]) -> String {
    let [what, callers, rate, p50, p99, cpu, peak, refused] = cells;
    format!(
        "{scenario:1}  {engine:10}  {what:64} {callers:>7} {rate:>11} {p50:>9} {p99:>9} {cpu:>11} {peak:>9} {refused:>9}"
    )
}

/// Three digits that count. What was not measured is told as such.
pub(super) fn number(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) if value.abs() >= 1.0 => format!("{value:.2}"),
        Some(value) => format!("{value:.3}"),
    }
}

/// What this runs on.
pub(super) fn machine() -> Vec<String> {
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        about.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, model)| model));
    let mut text = format!("waybill {} on {threads} processors", env!("CARGO_PKG_VERSION"));
    if let Some(model) = model {
        // Writing to a String does not fail.
        let _ignored = write!(text, " ({model})");
    }
    let mut machine = vec![text, format!("SQLite {}, WAL, synchronous FULL", rusqlite::version())];
    if !cfg!(target_os = "linux") {
        machine.push("processor time and memory are measured on Linux only".to_owned());
    }
    machine
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::record::Engine;

    #[test]
    fn numbers_have_three_digits_that_count() {
        let told = [12_345.6, 12.345, 1.2345, 0.012_345].map(|value| number(Some(value)));
        assert_eq!(told, ["12346", "12.3", "1.23", "0.012"]);
        assert_eq!(number(None), "-");
    }

    #[test]
    fn a_goal_says_what_was_aimed_at_and_whether_it_was_reached() {
        let goal = |unit, aim, reached| Goal {
            scenario: 'g',
            engine: Engine::Sqlite,
            what: String::new(),
            value: 1.0,
            unit,
            aim,
            reached,
        };
        assert_eq!(told(&goal("µs", Some(Aim::AtMost(70.0)), Some(true))), "at most 70 µs: reached");
        assert_eq!(told(&goal("", Some(Aim::AtLeast(0.8)), Some(false))), "at least 0.8: not reached");
        assert_eq!(told(&goal("", None, None)), "");
    }
}
