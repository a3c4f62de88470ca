//! The bench at its smallest size: it measures everything it lists. Speed is not checked.
//!
//! It measures the `waybill` in the same directory, which `cargo test --workspace` builds and `cargo test -p
//! waybill-bench` does not.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, path::Path, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::process::Command;
use waybill::child_process::Process;

const BENCH: &str = env!("CARGO_BIN_EXE_waybill-bench");

/// How long a bench may take that measures next to nothing; only a broken one takes as long.
const PATIENCE: Duration = Duration::from_secs(600);

fn start(arguments: &[&str], errors: Stdio) -> Process {
    let mut command = Command::new(BENCH);
    command.args(arguments).env_clear();
    Process::start(command, errors).unwrap()
}

async fn bench(directory: &Path, arguments: &[&str]) -> (Value, String) {
    let (json, svg) = (directory.join("bench.json"), directory.join("bench.svg"));
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (json_path, svg_path, here) = (path(&json), path(&svg), path(directory));
    let files = ["--quick", "--json", &json_path, "--svg", &svg_path, "--directory", &here];
    let mut process = start(&[&files[..], arguments].concat(), Stdio::inherit());
    assert!(process.ended_within(PATIENCE).await.unwrap().unwrap().success());
    let left: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "nothing is left but what was asked for: {left:?}");
    (serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap(), std::fs::read_to_string(svg).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quick_bench_measures_every_scenario_and_draws_it() {
    let directory = tempfile::tempdir().unwrap();
    let postgres = std::env::var_os("TEST_POSTGRES_URL").map(|url| url.into_string().unwrap());
    let arguments: Vec<&str> = postgres.iter().flat_map(|url| ["--postgres-url", url.as_str()]).collect();
    let (json, svg) = bench(directory.path(), &arguments).await;

    let list = |name: &str| json[name].as_array().unwrap().clone();
    let mut engines = BTreeSet::from(["sqlite"]);
    engines.extend(postgres.as_ref().map(|_| "postgres"));
    for engine in engines {
        let of = |name: &str| -> String {
            let entries = list(name).into_iter().filter(|entry| entry["engine"] == engine);
            let letters: BTreeSet<String> =
                entries.map(|entry| entry["scenario"].as_str().unwrap().to_owned()).collect();
            letters.into_iter().collect()
        };
        assert_eq!(of("measured"), "abcdefg");
        let goals = if engine == "sqlite" { "bcdefgi" } else { "bcdefg" };
        assert_eq!(of("goals"), goals, "processor time is measured here, so no aim is left out");
    }
    for measured in list("measured") {
        assert!(measured["median"]["per_second"].as_f64().unwrap() > 0.0, "{measured}");
        assert!(svg.contains("SQLite"), "the chart says on what");
    }

    let document = roxmltree::Document::parse(&svg).unwrap();
    let bars = document.descendants().filter(|node| node.has_tag_name("rect")).count();
    assert!(bars > 10, "a bar for each rate, and the page: {bars}");
    let texts: Vec<&str> = document.descendants().filter_map(|node| node.text()).collect();
    for goal in list("goals") {
        assert!(texts.contains(&goal["what"].as_str().unwrap()), "the chart shows {goal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bench_of_one_scenario_measures_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let (json, _) = bench(directory.path(), &["--only", "f"]).await;
    assert!(json["measured"].as_array().unwrap().iter().all(|measured| measured["scenario"] == "f"));
    assert!(json["notes"].as_array().unwrap().iter().any(|note| note["median"] == 200.0), "no unit was reserved twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bench_of_an_unknown_scenario_is_refused() {
    let mut process = start(&["--only", "x"], Stdio::null());
    assert!(!process.ended().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_baseline_is_measured_in_turns_and_compared_repeat_by_repeat() {
    let directory = tempfile::tempdir().unwrap();
    let waybill = Path::new(BENCH).with_file_name("waybill");
    let (json, _) = bench(directory.path(), &["--only", "a,f,g,i", "--baseline", waybill.to_str().unwrap()]).await;
    let comparisons = json["comparisons"].as_array().unwrap();
    let compared: BTreeSet<&str> = comparisons.iter().map(|one| one["scenario"].as_str().unwrap()).collect();
    assert_eq!(compared, BTreeSet::from(["f", "g", "i"]), "the bare database is the same for both");
    for comparison in comparisons {
        assert!(comparison["ratios"].as_array().unwrap().len() == 1, "{comparison}");
        assert!(comparison["median"].as_f64().unwrap() > 0.0, "{comparison}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_that_is_missing_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    for option in ["--waybill", "--baseline"] {
        let mut command = Command::new(BENCH);
        let output = command.args([option, missing.to_str().unwrap()]).env_clear().output().await.unwrap();
        assert!(!output.status.success());
        assert!(String::from_utf8(output.stderr).unwrap().contains(missing.to_str().unwrap()), "{option}");
    }
}
