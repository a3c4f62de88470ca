//! One binary on one database engine, and its measurements.

use std::path::Path;

use anyhow::Context as _;

use crate::{
    binary::{Binary, Side},
    catalogue::Catalogue,
    databases::{Copy, Databases, Engine},
    furnish::{self, Samples},
    record::Record,
    sample::Sample,
    server::{Mesh, Server},
    usage::Meter,
};

/// One binary on one database engine.
pub(crate) struct Testbed {
    pub(crate) binary: Binary,
    pub(crate) databases: Databases,
    pub(crate) catalogue: Catalogue,
    pub(crate) samples: Samples,
    record: Record,
}

impl Testbed {
    /// A testbed of SQLite files.
    pub(crate) async fn on_sqlite(root: &Path, binary: &Binary) -> anyhow::Result<Self> {
        let mut databases = Databases::sqlite(&root.join(binary.side.name()));
        let catalogue = Catalogue::load()?;
        furnish::furnish(&mut databases, binary, &catalogue).await.context("preparing databases on SQLite")?;
        let samples = furnish::samples(&mut databases, binary, &catalogue).await;
        let samples = samples.context("reading rows that the services wrote")?;
        Ok(Self { binary: binary.clone(), databases, catalogue, samples, record: Record::default() })
    }

    /// A testbed of the same binary on a PostgreSQL server. The rows that services write are the same there.
    pub(crate) async fn on_postgres(&self, root: &Path, url: &str) -> anyhow::Result<Self> {
        let mut databases = Databases::postgres(&root.join(self.binary.side.name()), self.binary.side, url).await?;
        if let Err(error) = furnish::furnish(&mut databases, &self.binary, &self.catalogue).await {
            databases.end().await?;
            return Err(error.context("preparing databases on PostgreSQL"));
        }
        let (binary, catalogue, samples) = (self.binary.clone(), self.catalogue.clone(), self.samples.clone());
        Ok(Self { binary, databases, catalogue, samples, record: Record::default() })
    }

    /// Whether this is the binary that is reported on; what is not measured of a binary is measured once, with it.
    pub(crate) fn is_candidate(&self) -> bool {
        self.binary.side == Side::Candidate
    }

    pub(crate) fn engine(&self) -> Engine {
        self.databases.engine()
    }

    /// What the database server says about itself.
    pub(crate) fn about(&self) -> Vec<String> {
        self.databases.about()
    }

    /// Adds what was measured once.
    pub(crate) fn add(&mut self, scenario: char, what: impl Into<String>, callers: usize, sample: Sample) {
        self.record.add(scenario, self.databases.engine(), what, callers, sample);
    }

    /// Adds a single value.
    pub(crate) fn note(&mut self, scenario: char, what: impl Into<String>, unit: &'static str, value: f64) {
        self.record.note(scenario, self.databases.engine(), what, unit, value);
    }

    /// Starts a service on a copy.
    pub(crate) async fn service(&self, copy: &Copy, role: &str) -> anyhow::Result<Server> {
        Server::service(&self.binary, &copy.directory, role, self.databases.url(copy, role)?).await
    }

    /// Starts the whole mesh on a copy.
    pub(crate) async fn mesh(&self, copy: &Copy) -> anyhow::Result<Mesh> {
        Mesh::start(&self.binary, &copy.directory, self.databases.arguments(copy)?).await
    }

    /// Meters these processes and the database server.
    pub(crate) fn meter(&self, processes: impl IntoIterator<Item = u32>) -> Meter {
        Meter::of(processes).and_server(self.databases.postmaster())
    }

    /// Removes the databases, and returns what was measured.
    pub(crate) async fn end(self) -> anyhow::Result<Record> {
        self.databases.end().await?;
        Ok(self.record)
    }
}

/// Takes turns in being the first.
pub(crate) fn in_turn<T>(of_binaries: &mut [T], round: usize) -> impl Iterator<Item = &mut T> {
    let first = round % of_binaries.len().max(1);
    let (later, sooner) = of_binaries.split_at_mut(first);
    sooner.iter_mut().chain(later)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binaries_take_turns_in_being_the_first() {
        let order = |round| in_turn(&mut ['c', 'b'], round).map(|binary| *binary).collect::<String>();
        assert_eq!([order(0), order(1), order(2)], ["cb", "bc", "cb"]);
        assert_eq!(in_turn(&mut ['c'], 1).count(), 1);
    }
}
