//! Measures throughput, latency and cost of a `waybill` binary, compared with the bare database, the goals and another
//! binary.
//!
//! The servers under test are processes of the measured binary, so that their processor time is not that of their callers.
//! What is compared is measured in turns and repeated: ratios hold on a busy machine, absolute numbers do not.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line writes to its standard streams")]

mod bare;
mod binary;
mod catalogue;
mod chart;
mod client;
mod comparison;
mod databases;
mod furnish;
mod goal;
mod load;
mod options;
mod placed;
mod record;
mod report;
mod rows;
mod run;
mod sample;
mod scenario;
mod server;
mod testbed;
mod usage;

use std::process::ExitCode;

use clap::Parser as _;

/// The allocator of the measured binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The callers run on one thread and leave the rest of the machine to the servers.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    mesh::install_process_defaults();
    match run::run(&options::Options::parse()).await {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("waybill-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}
