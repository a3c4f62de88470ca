//! Metrics of the writer.

use std::{collections::HashMap, time::Duration};

use bytes::Bytes;
use metrics::{Counter, Histogram};
use types::Fault;

use crate::write_request::WriteRequest;

/// The writer's meters. Each is looked up once: there is one for every kind of command and outcome.
#[derive(Debug)]
pub(crate) struct Meters {
    source: &'static str,
    sizes: Histogram,
    commands: HashMap<(&'static str, &'static str), (Counter, Histogram)>,
}

impl Meters {
    pub(crate) fn new(source: &'static str) -> Self {
        let sizes = metrics::histogram!("store_batch_commands", "source" => source);
        Self { source, sizes, commands: HashMap::new() }
    }

    /// Counts a batch and its commands, each by what its write request was answered.
    pub(crate) fn batch(&mut self, requests: &[WriteRequest], answers: &[Result<Bytes, Fault>], took: Duration) {
        let commands: usize = requests.iter().map(WriteRequest::commands).sum();
        self.sizes.record(commands as f64);
        let mut counts: Vec<((&'static str, &'static str), usize)> = Vec::new();
        for (request, answer) in requests.iter().zip(answers) {
            let outcome = answer.as_ref().map_or_else(|fault| fault.reason.as_str(), |_| "OK");
            for command in request.groups.iter().flat_map(|group| &group.commands) {
                let kind = (command.name(), outcome);
                match counts.iter_mut().find(|(known, _)| *known == kind) {
                    Some((_, count)) => *count += 1,
                    None => counts.push((kind, 1)),
                }
            }
        }
        for ((command, outcome), count) in counts {
            let (total, seconds) = self.command(command, outcome);
            total.increment(count as u64);
            seconds.record_many(took.as_secs_f64(), count);
        }
    }

    fn command(&mut self, command: &'static str, outcome: &'static str) -> &(Counter, Histogram) {
        let source = self.source;
        self.commands.entry((command, outcome)).or_insert_with(|| {
            let labels = [("source", source), ("command", command), ("outcome", outcome)];
            (metrics::counter!("store_commands", &labels), metrics::histogram!("store_command_seconds", &labels))
        })
    }
}
