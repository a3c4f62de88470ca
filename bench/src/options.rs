//! Options of the command line, and the measurements that they select.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;

use crate::{
    binary::{self, Binary, Side},
    scenario::{SCENARIOS, large::Size},
};

/// Measures throughput, latency, processor time and memory of a `waybill` binary. Ends by itself.
#[derive(Debug, Clone, clap::Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Options {
    /// The binary to measure; the `waybill` beside this program when not given.
    #[arg(long, value_name = "PATH")]
    waybill: Option<PathBuf>,
    /// Another binary with the same contracts, measured in turns with the first one: prints the ratios of the first to
    /// this one, repeat by repeat.
    #[arg(long, value_name = "PATH")]
    baseline: Option<PathBuf>,
    /// Only these scenarios: a the bare database, b orders over gRPC, c over REST, d orders delivered, e reads,
    /// f reservations, g the gateway alone, l one large order, i idle.
    #[arg(long, value_delimiter = ',')]
    only: Vec<char>,
    /// Measure on PostgreSQL too: any database of the server, beside which the bench creates and drops its own.
    #[arg(long, env = "WAYBILL_BENCH_POSTGRES_URL", hide_env_values = true)]
    pub(crate) postgres_url: Option<String>,
    /// How many callers place orders at the same time.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32, 128])]
    callers: Vec<usize>,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
    /// How often everything is measured; the median is reported.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    repeats: u64,
    /// How many orders are carried to delivery.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(1..))]
    orders: u64,
    /// How many orders are stored at most while reading: a thousand, a hundred thousand, a million.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    scale: u64,
    /// Measure as little as possible, to see that everything works. The numbers mean nothing.
    #[arg(long)]
    quick: bool,
    /// Envoy, to measure its transcoder beside the gateway; the one on the PATH when not given.
    #[arg(long, value_name = "PATH")]
    envoy: Option<PathBuf>,
    /// Write everything as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write a chart.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Where a directory for the databases is created, and removed at the end. Its disk is measured too.
    #[arg(long, default_value = ".")]
    pub(crate) directory: PathBuf,
}

/// What is measured, and how much.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The binary to measure, and then the baseline when there is one.
    pub(crate) binaries: Vec<Binary>,
    scenarios: Vec<char>,
    /// Of one measurement.
    pub(crate) time: Duration,
    pub(crate) repeats: usize,
    /// How many callers place orders at the same time.
    pub(crate) callers: Vec<usize>,
    /// How many orders are carried to delivery.
    pub(crate) orders: u64,
    /// How big the large order is.
    pub(crate) large: Size,
    /// How many orders are stored while reading.
    pub(crate) sizes: Vec<u64>,
    pub(crate) envoy: Option<PathBuf>,
}

impl Plan {
    pub(crate) fn of(options: &Options) -> anyhow::Result<Self> {
        let unknown = options.only.iter().find(|letter| !SCENARIOS.contains(letter));
        anyhow::ensure!(unknown.is_none(), "--only: there is no scenario {}", unknown.unwrap_or(&' '));
        let time = Duration::try_from_secs_f64(options.seconds).context("--seconds")?;
        anyhow::ensure!(!time.is_zero(), "--seconds: must be more than 0");
        anyhow::ensure!(!options.callers.contains(&0), "--callers: must be more than 0");
        let beside = std::env::current_exe().context("finding this program")?.with_file_name("waybill");
        let waybill = Binary::find(Side::Candidate, options.waybill.as_deref().unwrap_or(&beside))?;
        let baseline = options.baseline.as_deref().map(|path| Binary::find(Side::Baseline, path)).transpose()?;
        let plan = Self {
            binaries: [waybill].into_iter().chain(baseline).collect(),
            scenarios: if options.only.is_empty() { SCENARIOS.to_vec() } else { options.only.clone() },
            time,
            repeats: usize::try_from(options.repeats)?,
            callers: options.callers.clone(),
            orders: options.orders,
            large: Size { lines: 4_999, places: 400 },
            sizes: [1_000, 100_000, 1_000_000].into_iter().filter(|size| *size <= options.scale).collect(),
            envoy: options.envoy.clone().or_else(|| binary::on_path("envoy")),
        };
        if options.quick {
            return Ok(Self {
                time: Duration::from_millis(150),
                repeats: 1,
                callers: vec![1, 8],
                orders: 3,
                large: Size { lines: 40, places: 8 },
                sizes: vec![400, 800],
                ..plan
            });
        }
        Ok(plan)
    }

    /// Whether the scenario with this letter is measured.
    pub(crate) fn runs(&self, scenario: char) -> bool {
        self.scenarios.contains(&scenario)
    }

    pub(crate) fn fewest_and_most_callers(&self) -> (usize, usize) {
        (self.callers.iter().min().copied().unwrap_or(1), self.callers.iter().max().copied().unwrap_or(1))
    }
}
