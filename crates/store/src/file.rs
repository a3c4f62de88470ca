//! Checks of a SQLite file before SQLite opens it.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use crate::error::Error;

/// The first bytes of every database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Refuses a path that is no database, so that nothing is written to what is not ours. What cannot be read here is left
/// to SQLite to report.
pub(crate) fn check(path: &Path) -> Result<(), Error> {
    let shown = || path.display().to_string();
    let Ok(about) = std::fs::metadata(path) else { return Ok(()) };
    if about.is_dir() {
        return Err(Error::NotAFile { path: shown() });
    }
    match header(path) {
        // SQLite makes a database of an empty file.
        Ok(_) if about.len() == 0 => Ok(()),
        Ok(header) if header.starts_with(MAGIC) && (journal(path) || about.len() >= length(&header)) => Ok(()),
        Ok(_) => Err(Error::Corrupt { path: shown() }),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && about.len() > 0 => {
            Err(Error::Corrupt { path: shown() })
        }
        Err(_) => Ok(()),
    }
}

fn header(path: &Path) -> io::Result<[u8; 100]> {
    let mut header = [0; 100];
    File::open(path)?.read_exact(&mut header)?;
    Ok(header)
}

/// Whether there is a journal that has pages the file may lack.
fn journal(path: &Path) -> bool {
    let beside = |suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        std::fs::metadata(PathBuf::from(name)).is_ok_and(|about| about.len() > 0)
    };
    beside("-wal") || beside("-journal")
}

/// The length of the file according to its header. See "The Database Header" of the SQLite file format.
fn length(header: &[u8; 100]) -> u64 {
    let number = |at: usize, bytes: usize| {
        header.iter().skip(at).take(bytes).fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let page_size = match number(16, 2) {
        1 => 65_536,
        size => size,
    };
    let (change, pages, valid_for) = (number(24, 4), number(28, 4), number(92, 4));
    // A program of old did not keep the number of pages.
    if change == valid_for { page_size * pages } else { 0 }
}
