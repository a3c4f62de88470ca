//! The bench, at its smallest: that it measures everything it says, not how fast anything is.

use std::{collections::BTreeSet, path::Path, time::Duration};

use serde_json::Value;

use crate::process::Process;

/// How long a bench may take that measures next to nothing; only a broken one takes as long.
const PATIENCE: Duration = Duration::from_secs(600);

async fn bench(directory: &Path, arguments: &[&str]) -> (Value, String) {
    let (json, svg) = (directory.join("bench.json"), directory.join("bench.svg"));
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let (json_path, svg_path, here) = (path(&json), path(&svg), path(directory));
    let files = ["bench", "--quick", "--json", &json_path, "--svg", &svg_path, "--directory", &here];
    let mut process = Process::start(&[&files[..], arguments].concat());
    assert!(process.ended_within(PATIENCE).await.unwrap().success());
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
        assert!(texts.contains(&goal["what"].as_str().unwrap()), "the chart tells {goal}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bench_of_one_scenario_measures_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let (json, _) = bench(directory.path(), &["--only", "f"]).await;
    assert!(json["measured"].as_array().unwrap().iter().all(|measured| measured["scenario"] == "f"));
    assert!(json["notes"].as_array().unwrap().iter().any(|note| note["median"] == 200.0), "no unit was promised twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bench_of_an_unknown_scenario_is_refused() {
    let mut process = Process::start(&["bench", "--only", "x"]);
    assert!(!process.ended().await.success());
}
