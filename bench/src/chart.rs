//! A chart of the report, readable on a light and on a dark background.

use std::fmt::Write as _;

use crate::{
    databases::Engine,
    goal::Goal,
    record::Measured,
    report::{Report, number, verdict},
    scenario::{
        gateway::{self, Path},
        place, read,
    },
};

const WIDTH: usize = 960;
const MARGIN: usize = 24;
/// Where bars begin, and the length of the longest.
const BARS: usize = 420;
const LONGEST: f64 = 440.0;
const LINE: usize = 18;

const STYLE: &str = "\
text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2328}\
.title{font-weight:600;font-size:14px}.muted{fill:#59636e}.page{fill:#ffffff}\
.bar0{fill:#8c959f}.bar1{fill:#0969da}.bar2{fill:#8250df}.reached{fill:#1a7f37}.missed{fill:#bc4c00}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.muted{fill:#9198a1}.page{fill:#0d1117}\
.bar0{fill:#6e7681}.bar1{fill:#4493f8}.bar2{fill:#ab7df8}.reached{fill:#3fb950}.missed{fill:#db6d28}}";

/// Bars of one scale.
struct Panel {
    title: String,
    groups: Vec<Group>,
}

/// Bars under one name.
struct Group {
    name: String,
    /// The name, the value and the number of the colour.
    bars: Vec<(String, f64, usize)>,
}

/// Draws the chart.
pub(crate) fn svg(report: &Report<'_>) -> String {
    let mut drawing = Drawing { y: MARGIN, body: String::new() };
    for panel in panels(report) {
        drawing.panel(&panel);
    }
    drawing.goals(&report.goals);
    for line in &report.machine {
        drawing.text(MARGIN, "muted", line);
        drawing.y += LINE;
    }
    let height = drawing.y + MARGIN / 2;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"Benchmark of Waybill\">\n<style>{STYLE}</style>\n\
         <rect class=\"page\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n{}</svg>\n",
        drawing.body
    )
}

fn panels(report: &Report<'_>) -> Vec<Panel> {
    let mut panels = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let of = |scenario: char| {
            let measured = report.measured.iter().copied();
            measured.filter(move |measured| (measured.subject.scenario, measured.subject.engine) == (scenario, engine))
        };
        let placed: Vec<&Measured> = ['a', 'b', 'c'].into_iter().flat_map(of).collect();
        panels.push(Panel { title: format!("Orders placed in a second, {}", engine.name()), groups: placing(&placed) });
        let read: Vec<&Measured> = of('e').collect();
        let title = format!("Milliseconds of a read (median), by orders stored, {}", engine.name());
        panels.push(Panel { title, groups: reading(&read) });
        let through: Vec<&Measured> = of('g').collect();
        let title = format!("Microseconds of CPU to translate a call from REST to gRPC, {}", engine.name());
        panels.push(Panel { title, groups: translating(&through) });
    }
    panels.retain(|panel| panel.groups.iter().any(|group| !group.bars.is_empty()));
    panels
}

fn placing(measured: &[&Measured]) -> Vec<Group> {
    let kinds = [(place::BY_HAND, "bare database", 0), (place::GRPC, "gRPC", 1), (place::REST, "REST", 2)];
    let mut callers: Vec<usize> = measured.iter().map(|measured| measured.subject.callers).collect();
    callers.sort_unstable();
    callers.dedup();
    let group = |callers: usize| {
        let bars = kinds.iter().filter_map(|(what, name, colour)| {
            let is =
                |measured: &&&Measured| (measured.subject.what.as_str(), measured.subject.callers) == (*what, callers);
            Some(((*name).to_owned(), measured.iter().find(is)?.median.per_second, *colour))
        });
        let name = if callers == 1 { "1 caller".to_owned() } else { format!("{callers} callers") };
        Group { name, bars: bars.collect() }
    };
    callers.into_iter().map(group).collect()
}

fn reading(measured: &[&Measured]) -> Vec<Group> {
    let group = |kind: read::Read| {
        let of_kind = measured.iter().filter_map(|measured| {
            let rest = measured.subject.what.strip_prefix(kind.name())?.strip_prefix(", ")?;
            Some((rest.to_owned(), measured.median.p50_ms?))
        });
        let bars = of_kind.enumerate().map(|(at, (name, millis))| (name, millis, at.min(2)));
        Group { name: kind.name().to_owned(), bars: bars.collect() }
    };
    read::READS.into_iter().map(group).collect()
}

fn translating(measured: &[&Measured]) -> Vec<Group> {
    let paths = [(Path::Gateway, "Waybill's gateway", 1), (Path::Envoy, "Envoy's transcoder", 0)];
    let group = |kind: gateway::Read| {
        let bars = paths.iter().filter_map(|(path, name, colour)| {
            let what = gateway::what(kind, *path);
            let found = measured.iter().find(|measured| measured.subject.what == what)?;
            Some(((*name).to_owned(), found.median.cpu_ms? * 1_000.0, *colour))
        });
        Group { name: kind.name().to_owned(), bars: bars.collect() }
    };
    [gateway::Read::Get, gateway::Read::List].into_iter().map(group).collect()
}

struct Drawing {
    y: usize,
    body: String,
}

impl Drawing {
    fn text(&mut self, x: usize, class: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        // Writing to a String does not fail.
        let _ignored = writeln!(self.body, "<text x=\"{x}\" y=\"{}\" class=\"{class}\">{text}</text>", self.y + 13);
    }

    fn panel(&mut self, panel: &Panel) {
        self.text(MARGIN, "title", &panel.title);
        self.y += LINE + 6;
        let values = panel.groups.iter().flat_map(|group| &group.bars).map(|(_, value, _)| *value);
        let most = values.fold(f64::MIN_POSITIVE, f64::max);
        for group in panel.groups.iter().filter(|group| !group.bars.is_empty()) {
            for (at, (name, value, colour)) in group.bars.iter().enumerate() {
                if at == 0 {
                    self.text(MARGIN, "", &group.name);
                }
                self.text(BARS - 150, "muted", name);
                let length = (value / most * LONGEST).max(1.0);
                let _ignored = writeln!(
                    self.body,
                    "<rect class=\"bar{colour}\" x=\"{BARS}\" y=\"{}\" width=\"{length:.1}\" height=\"12\" rx=\"2\"/>",
                    self.y + 3
                );
                let _ignored = writeln!(
                    self.body,
                    "<text x=\"{:.1}\" y=\"{}\">{}</text>",
                    BARS as f64 + length + 6.0,
                    self.y + 13,
                    number(Some(*value))
                );
                self.y += LINE;
            }
            self.y += 5;
        }
        self.y += 14;
    }

    fn goals(&mut self, goals: &[Goal]) {
        if goals.is_empty() {
            return;
        }
        self.text(MARGIN, "title", "Aims");
        self.y += LINE + 6;
        for goal in goals {
            self.text(MARGIN, "muted", goal.engine.name());
            self.text(MARGIN + 76, "", &goal.what);
            self.text(BARS + 260, "", &format!("{} {}", number(Some(goal.value)), goal.unit));
            let class = match goal.reached {
                Some(true) => "reached",
                Some(false) => "missed",
                None => "muted",
            };
            self.text(BARS + 340, class, &verdict(goal));
            self.y += LINE;
        }
        self.y += 14;
    }
}
