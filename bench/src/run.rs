//! A whole run: prepares the databases, measures everything in turns and writes the report.

use std::path::Path;

use anyhow::Context as _;

use crate::{
    binary::Side,
    chart,
    options::{Options, Plan},
    record::Record,
    report::{self, Report},
    scenario::{IDLE, deliver, gateway, idle, large, place, read, reserve},
    testbed::{Testbed, in_turn},
};

/// Measures, and returns the tables to print.
pub(crate) async fn run(options: &Options) -> anyhow::Result<String> {
    let plan = Plan::of(options)?;
    let mut machine = report::machine(&plan.binaries).await?;
    let root = options.directory.join(format!("waybill-bench-{}", std::process::id()));
    std::fs::create_dir(&root).with_context(|| format!("--directory: creating {}", root.display()))?;
    let records = records(&plan, options.postgres_url.as_deref(), &root.canonicalize()?, &mut machine).await;
    std::fs::remove_dir_all(&root).with_context(|| format!("removing {}", root.display()))?;
    let (record, baseline) = records?;

    let report = Report::new(&record, &baseline, &plan, machine);
    if let Some(file) = &options.json {
        std::fs::write(file, report.json()?).with_context(|| format!("writing {}", file.display()))?;
    }
    if let Some(file) = &options.svg {
        std::fs::write(file, chart::svg(&report)).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(report.table())
}

/// What was measured of the binary and of the baseline. Adds to `machine` what the databases say about themselves.
async fn records(
    plan: &Plan,
    postgres_url: Option<&str>,
    root: &Path,
    machine: &mut Vec<String>,
) -> anyhow::Result<(Record, Record)> {
    let mut engines = [Vec::new(), Vec::new()];
    let mut outcome = prepare(&mut engines, plan, postgres_url, root).await;
    machine.extend(engines.iter().filter_map(|testbeds| testbeds.first()).flat_map(Testbed::about));
    if outcome.is_ok() {
        outcome = measure(&mut engines, plan).await;
    }
    // Databases on a server are dropped after a failure too.
    let (mut record, mut baseline) = (Record::default(), Record::default());
    for testbed in engines.into_iter().flatten() {
        let record = if testbed.binary.side == Side::Candidate { &mut record } else { &mut baseline };
        record.extend(testbed.end().await?);
    }
    outcome.map(|()| (record, baseline))
}

/// Adds a testbed for each binary on SQLite, and on PostgreSQL when there is a URL.
async fn prepare(
    [on_sqlite, on_postgres]: &mut [Vec<Testbed>; 2],
    plan: &Plan,
    postgres_url: Option<&str>,
    root: &Path,
) -> anyhow::Result<()> {
    for binary in &plan.binaries {
        on_sqlite.push(Testbed::on_sqlite(root, binary).await?);
    }
    if let Some(url) = postgres_url {
        for testbed in on_sqlite {
            on_postgres.push(testbed.on_postgres(root, url).await?);
        }
    }
    Ok(())
}

/// Measures one thing after the other, each with every binary in turn.
async fn measure(engines: &mut [Vec<Testbed>], plan: &Plan) -> anyhow::Result<()> {
    for round in 0..plan.repeats {
        for testbeds in &mut *engines {
            if plan.runs(IDLE) {
                for testbed in in_turn(testbeds, round) {
                    idle::round(testbed).await.context("idle")?;
                }
            }
            for callers in &plan.callers {
                for testbed in in_turn(testbeds, round) {
                    place::round(testbed, plan, *callers, round).await.context("placing orders")?;
                }
            }
            if plan.runs('d') {
                for testbed in in_turn(testbeds, round) {
                    deliver::round(testbed, plan).await.context("delivering orders")?;
                }
            }
            // A baseline may not know such orders.
            for testbed in testbeds.iter_mut().filter(|testbed| plan.runs('l') && testbed.is_candidate()) {
                large::round(testbed, plan).await.context("a large order")?;
            }
            if plan.runs('f') {
                for testbed in in_turn(testbeds, round) {
                    reserve::round(testbed, plan, round).await.context("reserving")?;
                }
            }
        }
    }
    for testbeds in engines {
        if plan.runs('g') {
            gateway::rounds(testbeds, plan).await.context("the gateway alone")?;
        }
        if plan.runs('e') {
            read::rounds(testbeds, plan).await.context("reading")?;
        }
    }
    Ok(())
}
