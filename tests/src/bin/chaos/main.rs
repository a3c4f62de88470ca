//! Tests the mesh as separate processes under load and faults: see `--help`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on its standard streams")]

mod acknowledged;
mod databases;
mod disk;
mod faults;
mod members;
mod plan;
mod portal;
mod proxy;
mod settle;
mod timelines;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::Parser;
use serde_json::{Value, json};
use tokio::sync::watch;
use waybill::{
    rest::Rest,
    sandbox::{Chances, Sandbox, people},
};

use crate::{
    disk::Filling,
    faults::Tally,
    members::{Member, Role, members},
    portal::{Caller, Ledger},
};

/// Mishaps of the partners.
const CHANCES: Chances = Chances {
    reject: 60,
    short: 60,
    duplicate: 250,
    reorder: 250,
    delay: 150,
    drop: 100,
    conflict: 20,
    skew: 150,
    misdeliver: 80,
    send_back: 60,
    lose: 60,
    void: 80,
    unload: 80,
};

/// Of how many packages out of 1,000 that do not arrive the units are cancelled.
const CANCELLED: u64 = 400;

/// Runs the mesh as separate processes under load, kills and pauses them, cuts their connections and fills their disks
/// at moments drawn from a seed, and checks at the end that nothing acknowledged is lost or duplicated and that every law
/// holds.
#[derive(Debug, Clone, Parser)]
#[command(max_term_width = 100)]
struct Options {
    /// Seed of all random choices: the same seed makes the same faults after the same times.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How many processes to kill; the other faults are drawn in proportion.
    #[arg(long, default_value_t = 60)]
    kills: usize,
    /// How many orders the customers place meanwhile.
    #[arg(long, default_value_t = 300)]
    orders: usize,
    /// The `waybill` binary; by default the one beside this program.
    #[arg(long)]
    waybill: Option<PathBuf>,
    /// Directory of the databases and logs; by default a temporary one, which is removed after a run without violations.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Where to write the summary as JSON.
    #[arg(long)]
    summary: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    mesh::install_process_defaults();
    let options = Options::parse();
    let outcome = match mesh::on_signals(&mesh::Stop::new(), Duration::ZERO) {
        // Dropping the run ends its processes and unmounts its file systems.
        Ok(interrupted) => tokio::select! {
            outcome = run(&options) => outcome,
            () = interrupted => Err(anyhow::anyhow!("interrupted")),
        },
        Err(error) => Err(error.into()),
    };
    let Options { seed, kills, orders, .. } = options;
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("chaos: violations with --seed {seed} --kills {kills} --orders {orders}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("chaos: --seed {seed} --kills {kills} --orders {orders}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether there was no violation.
async fn run(options: &Options) -> anyhow::Result<bool> {
    let begun = Instant::now();
    let program = match &options.waybill {
        Some(program) => program.clone(),
        None => std::env::current_exe()?.with_file_name("waybill"),
    };
    anyhow::ensure!(program.exists(), "{} is missing: cargo build -p waybill first", program.display());
    let temporary = tempfile::tempdir()?;
    let directory = options.data.clone().unwrap_or_else(|| temporary.path().to_owned());
    tokio::fs::create_dir_all(&directory).await?;
    let used = tokio::fs::read_dir(&directory).await?.next_entry().await?.is_some();
    anyhow::ensure!(!used, "{} is not empty", directory.display());
    let filling = Filling::of_this_machine(&directory).await?;
    let members = members(&program, &directory, filling).await?;
    let gateway = members.iter().find(|member| member.role == Role::Gateway).context("no gateway")?;
    let caller = Caller {
        rest: Rest::new(members::address(gateway.proxy.address()))?,
        ledger: Arc::default(),
        tally: Arc::default(),
        seed: options.seed,
    };
    let outcome = play(options, &members, &caller).await;
    let mut report = Report { statuses: BTreeMap::new(), seconds: 0, filling: filling.name() };
    match outcome {
        Ok(statuses) => report.statuses = statuses,
        Err(error) => caller.tally.violation(format!("the run did not finish: {error:#}")),
    }
    end(&members, &directory, &caller.tally).await?;
    report.seconds = begun.elapsed().as_secs();
    enough(options, &caller);

    let violations = caller.tally.violations();
    let summary = report.of(options, &caller.tally, &caller.ledger);
    println!("{summary:#}");
    if let Some(path) = &options.summary {
        tokio::fs::write(path, format!("{summary:#}\n")).await?;
    }
    if !violations.is_empty() && options.data.is_none() {
        eprintln!("chaos: databases and logs are kept in {}", temporary.keep().display());
    }
    Ok(violations.is_empty())
}

/// From the first start to the last check over the API.
async fn play(options: &Options, members: &[Arc<Member>], caller: &Caller) -> anyhow::Result<BTreeMap<String, u64>> {
    for member in members {
        let (mut process, _) = member.take().await;
        member.start(&mut process).await?;
    }
    up(members).await?;
    caller.furnish(options.orders).await.context("before the first fault")?;

    let (progress, watching) = watch::channel(0);
    let steps = plan::draw(options.seed, options.kills);
    let (mut round, tally) = (0, caller.tally.clone());
    let faulty = async {
        let customers = caller.customers(options.orders, watching);
        tokio::join!(faults::make(members, steps, &tally, &progress), customers);
    };
    tokio::select! {
        () = faulty => {}
        () = partners(caller, options.seed) => {}
        () = caller.returns() => {}
        () = supplier(caller, &mut round) => {}
        () = decisions(caller) => {}
    }

    for member in members {
        let (mut process, problem) = member.take().await;
        problem.into_iter().for_each(|problem| tally.violation(problem));
        member.start(&mut process).await?;
    }
    up(members).await?;
    let in_vain = tokio::select! {
        settled = settle::settle(caller, &mut round) => settled.context("settling")?,
        () = partners(caller, options.seed) => anyhow::bail!("the partners stopped"),
        () = decisions(caller) => anyhow::bail!("the people stopped"),
    };
    in_vain.into_iter().for_each(|order| tally.violation(order));
    acknowledged::check(caller).await.context("checking what was acknowledged")
}

/// Waits until every member listens: clients retry long enough for a restart, but not for a slow machine.
async fn up(members: &[Arc<Member>]) -> anyhow::Result<()> {
    for member in members {
        member.listens().await?;
    }
    Ok(())
}

/// The partners, restarted without any state whenever they lose the gateway.
async fn partners(caller: &Caller, seed: u64) {
    loop {
        drop(Sandbox::new(caller.rest.clone(), seed, CHANCES).play().await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The people who take in and write off what does not arrive.
async fn decisions(caller: &Caller) {
    loop {
        // Whoever loses the gateway begins again.
        drop(people::receive_returns(&caller.rest).await);
        drop(people::write_off(&caller.rest, CANCELLED).await);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn supplier(caller: &Caller, round: &mut u64) {
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        caller.supply(round).await;
    }
}

/// Ends every process and checks the databases.
async fn end(members: &[Arc<Member>], directory: &Path, tally: &Tally) -> anyhow::Result<()> {
    for member in members {
        let (mut process, problem) = member.take().await;
        problem.into_iter().for_each(|problem| tally.violation(problem));
        if let Err(error) = member.stop(&mut process).await {
            tally.violation(format!("{}: {error:#}", member.role));
            member.kill(&mut process).await?;
        }
        member.close().await?;
    }
    if let Err(error) = databases::check(directory, tally).await {
        tally.violation(format!("the databases: {error:#}"));
    }
    Ok(())
}

/// Counts it as a violation when fewer processes were killed or fewer orders placed than asked for.
fn enough(options: &Options, caller: &Caller) {
    let killed: u64 =
        caller.tally.counts().iter().filter(|((what, _), _)| *what == "kill").map(|(_, count)| count).sum();
    if usize::try_from(killed).is_ok_and(|killed| killed < options.kills) {
        caller.tally.violation(format!("only {killed} processes were killed"));
    }
    let asked = caller.ledger.placed().len() + caller.ledger.abandoned().len();
    if asked < options.orders {
        caller.tally.violation(format!("only {asked} orders were placed or given up"));
    }
}

struct Report {
    statuses: BTreeMap<String, u64>,
    seconds: u64,
    filling: &'static str,
}

impl Report {
    fn of(&self, options: &Options, tally: &Tally, ledger: &Ledger) -> Value {
        let mut faults: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        for ((what, role), count) in tally.counts() {
            let of = faults.entry(what).or_default();
            of.insert(role, count);
            *of.entry("all").or_default() += count;
        }
        json!({
            "seed": options.seed,
            "seconds": self.seconds,
            "faults": faults,
            "disksFilledBy": self.filling,
            "orders": {
                "asked": options.orders, "acknowledged": ledger.placed().len(), "abandoned": ledger.abandoned().len(),
                "byStatus": self.statuses,
            },
            "commandsAcknowledged": ledger.acknowledged().len(),
            "commandsRefused": ledger.refused(),
            "violations": tally.violations(),
        })
    }
}
