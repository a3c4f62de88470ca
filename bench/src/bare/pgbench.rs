//! The statements of one `PlaceOrder` as a script of PostgreSQL's own benchmark.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use anyhow::Context as _;
use tokio::process::Command;

use crate::{
    binary::on_path,
    load::Load,
    placed::Placed,
    rows::{Field, Rows},
    sample::Sample,
    usage::Meter,
};

const PROGRAM: &str = "pgbench";

/// How long it runs at least: each client prepares its statements first, and that is measured too.
const SHORTEST: Duration = Duration::from_secs(4);

/// Whether it is installed.
pub(crate) fn installed() -> bool {
    on_path(PROGRAM).is_some()
}

/// Runs it. Returns nothing when no transaction was done in time. The processor time is the server's alone.
pub(crate) async fn measure(
    directory: &Path,
    url: &str,
    placed: &Placed,
    load: Load,
    meter: &Meter,
) -> anyhow::Result<Option<Sample>> {
    let file = directory.join("place.sql");
    fs::write(&file, script(placed))?;
    let (clients, seconds) = (load.callers.to_string(), load.time.max(SHORTEST).as_secs().to_string());
    let mut command = Command::new(PROGRAM);
    command.args(["--no-vacuum", "--protocol=prepared", "--client", &clients, "--time", &seconds, "--file"]);
    command.arg(&file).arg(url).kill_on_drop(true);
    let before = meter.cpu_ms();
    let output = command.output().await.context("running pgbench")?;
    let cpu_ms = before.zip(meter.cpu_ms()).map(|(before, after)| after - before);
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let value = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<f64>().ok())
    };
    anyhow::ensure!(output.status.success(), "pgbench failed: {errors}{text}");
    let done = value("number of transactions actually processed: ");
    let Some((done, per_second)) = done.filter(|done| *done > 0.0).zip(value("tps = ")) else { return Ok(None) };
    let cpu_ms = cpu_ms.filter(|cpu_ms| *cpu_ms > 0.0).map(|cpu_ms| cpu_ms / done);
    Ok(Some(Sample { cpu_ms, ..Sample::of_rate(per_second) }))
}

/// Each transaction draws a number, which is in everything that has to be unique.
fn script(placed: &Placed) -> String {
    let body = placed.event.bytes("body").map_or_else(String::new, hex);
    let mut script = String::from("\\set n random(1, 1000000000000000)\nBEGIN;\n");
    for rows in [&placed.order, &placed.lines, &placed.request] {
        // Writing to a String does not fail.
        let _ignored = writeln!(script, "{};", insert(rows, &[]));
    }
    script.push_str("SELECT position AS position, hash AS hash FROM log_head WHERE id = 1 FOR UPDATE \\gset\n");
    let chained = format!("encode(sha256(convert_to(:hash::text, 'UTF8') || '\\x{body}'::bytea), 'hex')");
    let event = insert(&placed.event, &[("position", ":position::bigint + 1"), ("hash", &chained)]);
    let _ignored = writeln!(script, "{event};");
    let _ignored = writeln!(
        script,
        "UPDATE log_head SET position = :position::bigint + 1, hash = {chained} WHERE id = 1;\nCOMMIT;"
    );
    script
}

fn insert(rows: &Rows, replaced: &[(&str, &str)]) -> String {
    let value = |column: &str, field: &Field| {
        if let Some((_, value)) = replaced.iter().find(|(name, _)| *name == column) {
            return (*value).to_owned();
        }
        match (column, field) {
            (
                "order_id" | "customer_po" | "unique_po" | "request_id" | "event_id" | "correlation_id" | "subject",
                _,
            ) => "md5((:n)::bigint::text)".to_owned(),
            (_, Field::Null) => "NULL".to_owned(),
            (_, Field::Integer(integer)) => integer.to_string(),
            (_, Field::Text(text)) => format!("'{}'", text.replace('\'', "''").replace(':', "' || chr(58) || '")),
            (_, Field::Bytes(bytes)) => format!("'\\x{}'", hex(bytes)),
        }
    };
    let row = |row: &Vec<Field>| {
        let values: Vec<String> = rows.columns.iter().zip(row).map(|(column, field)| value(column, field)).collect();
        format!("({})", values.join(", "))
    };
    let values: Vec<String> = rows.rows.iter().map(row).collect();
    format!("INSERT INTO {} ({}) VALUES {}", rows.table, rows.columns.join(", "), values.join(", "))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
