//! The report: JSON for programs, tables for people.

use std::fs;

use serde::Serialize;

use crate::{
    binary::Binary,
    comparison::{Comparison, compare},
    goal::{Aim, Goal, goals},
    options::Plan,
    record::{Measured, Note, Record},
};

/// Everything that is reported.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    /// The binaries, the machine and the databases.
    pub(crate) machine: Vec<String>,
    /// Seconds of each measurement.
    pub(crate) seconds: f64,
    /// How often each measurement was repeated.
    pub(crate) repeats: usize,
    pub(crate) goals: Vec<Goal>,
    pub(crate) measured: Vec<&'a Measured>,
    pub(crate) notes: Vec<&'a Note>,
    /// What was measured of the baseline.
    baseline: Vec<&'a Measured>,
    /// The measured binary to the baseline.
    comparisons: Vec<Comparison>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(record: &'a Record, baseline: &'a Record, plan: &Plan, machine: Vec<String>) -> Self {
        Self {
            machine,
            seconds: plan.time.as_secs_f64(),
            repeats: plan.repeats,
            goals: goals(record, plan),
            measured: record.measured(),
            notes: record.notes(),
            baseline: baseline.measured(),
            comparisons: compare(record, baseline),
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// As tables of text.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("{}\n", self.machine.join("\n"));
        let mut line = |line: &str| {
            text.push_str(line.trim_end());
            text.push('\n');
        };
        line(&format!("{} s for each measurement, the median of {}", self.seconds, self.repeats));
        line("CPU is of all processes under test and the database; memory is without the database server");
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
            line(&format!("{}  {engine:10}  {what:74} {value:>12}   {}", goal.scenario, verdict(goal)));
        }
        if !self.comparisons.is_empty() {
            line("\nratio to the baseline: the median, and repeat by repeat");
        }
        for Comparison { scenario, engine, what, callers, value, median, ratios } in &self.comparisons {
            let callers = callers.map_or_else(String::new, |callers| callers.to_string());
            let repeats: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
            let engine = engine.name();
            line(&format!(
                "{scenario}  {engine:10}  {what:64} {callers:>7} {value:>11} {median:>9.2}   {}",
                repeats.join(" ")
            ));
        }
        text
    }
}

/// The aim, and whether it was reached.
pub(crate) fn verdict(goal: &Goal) -> String {
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

/// Three significant digits, or a dash for what was not measured.
pub(crate) fn number(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) if value.abs() >= 1.0 => format!("{value:.2}"),
        Some(value) => format!("{value:.3}"),
    }
}

/// The binaries under test and the machine.
pub(crate) async fn machine(binaries: &[Binary]) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    for binary in binaries {
        let version = binary.version().await?;
        lines.push(match binaries {
            [_] => version,
            _ => format!("{}: {version}, {}", binary.side.name(), binary.path.display()),
        });
    }
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    let about = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = about.lines().find_map(|line| Some(line.strip_prefix("model name")?.split_once(": ")?.1));
    lines.push(format!("{threads} processors{}", model.map_or_else(String::new, |model| format!(" ({model})"))));
    lines.push(format!("SQLite {}, WAL, synchronous FULL", rusqlite::version()));
    if !cfg!(target_os = "linux") {
        lines.push("processor time and memory are measured on Linux only".to_owned());
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::databases::Engine;

    #[test]
    fn numbers_have_three_significant_digits() {
        let numbers = [12_345.6, 12.345, 1.2345, 0.012_345].map(|value| number(Some(value)));
        assert_eq!(numbers, ["12346", "12.3", "1.23", "0.012"]);
        assert_eq!(number(None), "-");
    }

    #[test]
    fn a_goal_says_its_aim_and_whether_it_was_reached() {
        let goal = |unit, aim, reached| Goal {
            scenario: 'g',
            engine: Engine::Sqlite,
            what: String::new(),
            value: 1.0,
            unit,
            aim,
            reached,
        };
        assert_eq!(verdict(&goal("µs", Some(Aim::AtMost(70.0)), Some(true))), "at most 70 µs: reached");
        assert_eq!(verdict(&goal("", Some(Aim::AtLeast(0.8)), Some(false))), "at least 0.8: not reached");
        assert_eq!(verdict(&goal("", None, None)), "");
    }
}
