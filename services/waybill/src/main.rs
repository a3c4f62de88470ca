//! `waybill`: one binary whose command selects the role.

use std::process::ExitCode;

/// A fifth of a busy mesh's time went into the system's allocator, which the writers' threads and the calls' share. It is
/// built to leave huge pages alone: they were a third of an idle mesh, and made a busy one no faster.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    waybill::commands::run()
}
