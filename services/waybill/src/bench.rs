//! Measures what the mesh does in a second, how long it takes, and what that costs: beside what the bare database does,
//! and beside what was aimed at.
//!
//! Servers under test are processes of the same binary, so that the callers' processor time is not theirs. What is
//! compared is measured in turns, and repeated: ratios hold on a busy machine, absolute numbers do not.

mod chart;
mod client;
mod deliver;
mod envoy;
mod gateway;
mod goal;
mod idle;
mod load;
mod order;
mod pgbench;
mod place;
mod postgres;
mod process;
mod read;
mod record;
mod report;
mod reserve;
mod row;
mod server;
mod sqlite;
mod world;

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;

use self::{postgres::Postgres, record::Record, world::World};

/// What the bench may be told.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Options {
    /// Only these scenarios: a the bare database, b orders over gRPC, c over REST, d orders delivered, e reads,
    /// f reservations, g the gateway alone, i idle.
    #[arg(long, value_delimiter = ',')]
    only: Vec<char>,
    /// Measure on PostgreSQL too: any database of the server, beside which the bench makes and drops its own.
    #[arg(long, env = "WAYBILL_BENCH_POSTGRES_URL", hide_env_values = true)]
    postgres_url: Option<String>,
    /// How many call at the same time, when orders are placed.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32, 128])]
    callers: Vec<usize>,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 1.5)]
    seconds: f64,
    /// How often everything is measured; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    repeats: u64,
    /// How many orders are carried to delivery.
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(1..))]
    orders: u64,
    /// How many orders are stored at most while reading: a thousand, a hundred thousand, a million.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    scale: u64,
    /// A smoke run: as little of everything as there can be. Its numbers say nothing.
    #[arg(long)]
    quick: bool,
    /// Measure Envoy's transcoder beside the gateway: where it is, when it is not on the PATH.
    #[arg(long)]
    envoy: Option<PathBuf>,
    /// Write everything as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Write a chart.
    #[arg(long)]
    svg: Option<PathBuf>,
    /// Where a directory for the databases is made, and removed at the end. Measure on the disk you mean.
    #[arg(long, default_value = ".")]
    directory: PathBuf,
}

/// The letters of all scenarios.
const SCENARIOS: [char; 8] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', idle::LETTER];

/// What is measured, and how much.
#[derive(Debug)]
struct Plan {
    scenarios: Vec<char>,
    time: Duration,
    repeats: u64,
    callers: Vec<usize>,
    orders: u64,
    sizes: Vec<u64>,
    envoy: Option<PathBuf>,
}

impl Plan {
    fn of(options: &Options) -> anyhow::Result<Self> {
        let unknown = options.only.iter().find(|letter| !SCENARIOS.contains(letter));
        anyhow::ensure!(unknown.is_none(), "--only: there is no scenario {}", unknown.unwrap_or(&' '));
        let time = Duration::try_from_secs_f64(options.seconds).context("--seconds")?;
        anyhow::ensure!(!time.is_zero(), "--seconds: must be more than 0");
        anyhow::ensure!(!options.callers.contains(&0), "--callers: nobody calls");
        let scenarios = if options.only.is_empty() { SCENARIOS.to_vec() } else { options.only.clone() };
        let plan = Self {
            scenarios,
            time,
            repeats: options.repeats,
            callers: options.callers.clone(),
            orders: options.orders,
            sizes: [1_000, 100_000, 1_000_000].into_iter().filter(|size| *size <= options.scale).collect(),
            envoy: options.envoy.clone().or_else(|| process::find("envoy")),
        };
        if options.quick {
            return Ok(Self {
                time: Duration::from_millis(150),
                repeats: 1,
                callers: vec![1, 8],
                orders: 3,
                sizes: vec![400, 800],
                ..plan
            });
        }
        Ok(plan)
    }

    fn runs(&self, scenario: char) -> bool {
        self.scenarios.contains(&scenario)
    }

    fn fewest_and_most(&self) -> (usize, usize) {
        (self.callers.iter().min().copied().unwrap_or(1), self.callers.iter().max().copied().unwrap_or(1))
    }
}

/// Measures, and answers the table to print.
pub async fn run(options: &Options) -> anyhow::Result<String> {
    let plan = Plan::of(options)?;
    let root = tempfile::Builder::new().prefix("waybill-bench-").tempdir_in(&options.directory);
    let root =
        root.with_context(|| format!("--directory: no place for databases in {}", options.directory.display()))?;
    let root_path = root.path().canonicalize()?;
    let mut worlds = vec![World::on_sqlite(&root_path).await?];
    let mut machine = report::machine();
    if let Some(url) = &options.postgres_url {
        let server = Postgres::connect(url).await?;
        machine.push(server.version.clone());
        if server.postmaster.is_none() {
            machine.push("PostgreSQL is elsewhere: its processor time is not measured".to_owned());
        }
        worlds.push(World::on_postgres(&root_path, server).await?);
    }
    let mut record = Record::default();
    let measured = measure(&mut worlds, &plan, &root_path, &mut record).await;
    for world in worlds {
        world.end().await?;
    }
    measured?;

    let report = report::Report::new(&record, &plan, machine);
    if let Some(file) = &options.json {
        std::fs::write(file, report.json()?).with_context(|| format!("writing {}", file.display()))?;
    }
    if let Some(file) = &options.svg {
        std::fs::write(file, chart::svg(&report)).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(report.table())
}

async fn measure(worlds: &mut [World], plan: &Plan, root: &std::path::Path, record: &mut Record) -> anyhow::Result<()> {
    let samples = match worlds.first_mut() {
        Some(world) => world.samples().await.context("taking rows as the services write them")?,
        None => return Ok(()),
    };
    for round in 0..plan.repeats {
        if plan.runs(idle::LETTER) {
            idle::round(root, record).await.context("idle")?;
        }
        let round = usize::try_from(round)?;
        for world in &mut *worlds {
            place::round(world, &samples, plan, round, record).await.context("placing orders")?;
            if plan.runs('d') {
                deliver::round(world, plan, record).await.context("delivering orders")?;
            }
            if plan.runs('f') {
                reserve::round(world, plan, round, record).await.context("reserving")?;
            }
        }
    }
    for world in worlds {
        if plan.runs('g') {
            gateway::rounds(world, plan, record).await.context("the gateway alone")?;
        }
        if plan.runs('e') {
            read::rounds(world, &samples, plan, record).await.context("reading")?;
        }
    }
    Ok(())
}
