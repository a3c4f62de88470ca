//! Restores a backup.

use std::{
    fs::{self, File},
    path::Path,
};

use anyhow::Context as _;
use store::backup;

use super::{
    Error, Manifest, entries,
    manifest::{self, Database},
    read_into,
    staging::Staging,
    take::PARTIAL,
};
use crate::compose;

/// Checks the databases of a backup and copies them into a new directory. Blocks for as long as that takes: not for a
/// thread of the async runtime.
pub fn restore(from: &Path, data: &Path) -> anyhow::Result<Manifest> {
    let manifest = check(from)?;
    let staging = Staging::begin(data, ".restoring")?;
    let copied = manifest.databases.iter().try_for_each(|database| copy(from, database, staging.path()));
    match copied {
        Ok(()) => staging.finish().map(|()| manifest),
        Err(error) => {
            staging.discard();
            Err(error)
        }
    }
}

/// Checks that the backup is finished and has the files of its manifest and no others.
fn check(from: &Path) -> anyhow::Result<Manifest> {
    if !from.is_dir() {
        return Err(Error::damaged(from, "there is no such directory").into());
    }
    if from.file_name().is_some_and(|name| name.to_string_lossy().ends_with(PARTIAL)) {
        return Err(Error::damaged(from, "the backup was not finished").into());
    }
    let manifest = Manifest::read(from)?;
    let expected: Vec<_> = manifest.databases.iter().map(|database| (from.join(&database.file), database)).collect();
    for (path, database) in &expected {
        let about = fs::metadata(path).map_err(|error| Error::damaged(path, format!("it is missing: {error}")))?;
        if about.len() != database.bytes {
            let problem = format!("it has {} bytes instead of {}", about.len(), database.bytes);
            return Err(Error::damaged(path, problem).into());
        }
    }
    for entry in entries(from)? {
        if entry != from.join(manifest::FILE) && expected.iter().all(|(path, _)| *path != entry) {
            return Err(Error::damaged(&entry, "it is not a file of this backup").into());
        }
    }
    Ok(manifest)
}

fn copy(from: &Path, database: &Database, directory: &Path) -> anyhow::Result<()> {
    let (path, copy) = (from.join(&database.file), compose::database_file(directory, &database.service));
    let copying = || format!("copying {} to {}", path.display(), copy.display());
    let mut file = File::create(&copy).with_context(copying)?;
    let checksum = read_into(&path, &mut file).with_context(copying)?;
    file.sync_all().with_context(copying)?;
    drop(file);
    if (checksum.bytes, &checksum.sha256) != (database.bytes, &database.sha256) {
        return Err(Error::damaged(&path, "its SHA-256 is not that of the manifest").into());
    }
    let contents = backup::inspect(&copy).with_context(copying)?;
    if Database::new(&database.service, checksum, contents) != *database {
        return Err(Error::damaged(&path, "its contents are not those of the manifest").into());
    }
    Ok(())
}
