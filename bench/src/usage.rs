//! The processor time and memory of processes, as Linux counts them. Elsewhere they are not measured.

use std::fs;

/// Milliseconds in one tick of `/proc/PID/stat`: Linux reports a hundred ticks in a second on every machine.
const TICK_MILLIS: f64 = 10.0;

/// Processes whose usage is added up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Meter {
    own: Vec<u32>,
    /// The first process of a database server: its children are added too, also those that have ended.
    postmaster: Option<u32>,
}

impl Meter {
    /// Meters these processes.
    pub(crate) fn of(own: impl IntoIterator<Item = u32>) -> Self {
        Self { own: own.into_iter().collect(), postmaster: None }
    }

    /// Meters a database server too, when it runs on this machine.
    pub(crate) fn and_server(self, postmaster: Option<u32>) -> Self {
        Self { postmaster, ..self }
    }

    /// Milliseconds of processor time used so far.
    pub(crate) fn cpu_ms(&self) -> Option<f64> {
        let mut ticks = 0;
        for process in &self.own {
            ticks += Stat::read(*process)?.own;
        }
        if let Some(postmaster) = self.postmaster {
            let first = Stat::read(postmaster)?;
            ticks += first.own + first.ended_children;
            ticks += children(postmaster).into_iter().filter_map(Stat::read).map(|child| child.own).sum::<u64>();
        }
        Some(ticks as f64 * TICK_MILLIS)
    }

    /// MiB of memory at the peak, without the database server, whose processes share memory.
    pub(crate) fn peak_mib(&self) -> Option<f64> {
        self.own.iter().map(|process| memory_mib(*process, "VmHWM:")).sum()
    }

    /// MiB of resident memory, without the database server.
    pub(crate) fn resident_mib(&self) -> Option<f64> {
        self.own.iter().map(|process| memory_mib(*process, "VmRSS:")).sum()
    }
}

/// The parent and the ticks of one process.
struct Stat {
    parent: u32,
    own: u64,
    ended_children: u64,
}

impl Stat {
    fn read(process: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name is in parentheses and may contain any character.
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            own: ticks(11)? + ticks(12)?,
            ended_children: ticks(13)? + ticks(14)?,
        })
    }
}

fn memory_mib(process: u32, name: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1024.0)
}

fn children(parent: u32) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| Stat::read(*id).is_some_and(|stat| stat.parent == parent)).collect()
}

/// The first process of the PostgreSQL server that this backend belongs to, when both run on this machine.
pub(crate) fn postmaster(backend: u32) -> Option<u32> {
    let is_postgres =
        |id: u32| fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|name| name.trim() == "postgres");
    let parent = Stat::read(backend).filter(|_| is_postgres(backend))?.parent;
    is_postgres(parent).then_some(parent)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_time_and_memory() {
        let own = Meter::of([std::process::id()]);
        let mut number = 1_u64;
        while own.cpu_ms() == Some(0.0) {
            number = std::hint::black_box(number.wrapping_mul(31));
        }
        // Other threads may need more between the two.
        let resident = own.resident_mib();
        assert!(own.peak_mib() >= resident && resident > Some(1.0));
    }

    #[test]
    fn a_process_that_is_gone_is_not_counted_as_nothing() {
        assert_eq!(Meter::of([u32::MAX]).cpu_ms(), None);
    }

    #[test]
    fn a_process_that_is_no_database_server_is_not_taken_for_one() {
        assert_eq!(postmaster(std::process::id()), None);
    }
}
