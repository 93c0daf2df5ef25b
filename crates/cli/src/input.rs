//! Reading what is to be kept: a regular file, or standard input.

use std::fs::{self, File, FileType};
use std::io::{self, IsTerminal, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use dalsegno::{Engine, ErrorKind};

use crate::failure::{Failure, Result};
use crate::{human, place};

/// Reads the file at `from`, or standard input for `-`. More than `limit` bytes are refused: by the
/// file's size where it has one, and at the first byte too many else.
pub(crate) fn read(engine: &Engine, from: &Path, limit: u64) -> Result<Vec<u8>> {
    if from == Path::new("-") {
        return stdin(limit);
    }
    place::not_the_store(engine, from)?;
    let shown = from.display();
    let failed = |e| Failure::io(format!("reading {shown}"), e);
    // Asked before it is opened, because opening a device can do things; and again afterwards,
    // because another file may stand there by then.
    regular(fs::metadata(from).map_err(failed)?.file_type(), from)?;
    let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let opened = File::options().read(true).custom_flags(nonblock).open(from);
    let file = opened.map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    regular(found.file_type(), from)?;
    check_size(found.len(), limit, &shown.to_string())?;
    take(file, limit, &shown.to_string())
}

/// Standard input, where something was piped into it.
pub(crate) fn piped(limit: u64) -> Result<Vec<u8>> {
    let kind = rustix::fs::fstat(io::stdin())
        .map(|found| rustix::fs::FileType::from_raw_mode(found.st_mode));
    let piped = matches!(
        kind,
        Ok(rustix::fs::FileType::Fifo
            | rustix::fs::FileType::RegularFile
            | rustix::fs::FileType::Socket)
    );
    if piped && !io::stdin().is_terminal() {
        return stdin(limit);
    }
    Err(Failure::usage(
        "there is nothing to save: give --from FILE, or pipe the document into standard input",
    ))
}

fn stdin(limit: u64) -> Result<Vec<u8>> {
    if let Ok(found) = rustix::fs::fstat(io::stdin()) {
        let is_file =
            rustix::fs::FileType::from_raw_mode(found.st_mode) == rustix::fs::FileType::RegularFile;
        if is_file {
            check_size(
                u64::try_from(found.st_size).unwrap_or(0),
                limit,
                "standard input",
            )?;
        }
    }
    take(io::stdin().lock(), limit, "standard input")
}

fn take(from: impl Read, limit: u64, shown: &str) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    from.take(limit.saturating_add(1))
        .read_to_end(&mut text)
        .map_err(|e| Failure::io(format!("reading {shown}"), e))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > limit {
        return Err(refused(format!(
            "{shown} has more than the limit of {}",
            bytes(limit)
        )));
    }
    Ok(text)
}

/// Refuses what is larger than `limit`, with its true size.
pub(crate) fn check_size(size: u64, limit: u64, shown: &str) -> Result<()> {
    if size > limit {
        return Err(refused(format!(
            "{shown} has {size} bytes; the limit is {}",
            bytes(limit)
        )));
    }
    Ok(())
}

fn bytes(limit: u64) -> String {
    format!("{limit} bytes ({})", human::size(limit))
}

fn refused(message: String) -> Failure {
    Failure::new(ErrorKind::InvalidInput, message)
}

/// A pipe would be waited on for ever, a device never ends.
fn regular(kind: FileType, path: &Path) -> Result<()> {
    let what = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "a folder; give a file"
    } else if kind.is_fifo() {
        "a named pipe; give a file, or pipe into standard input with `-`"
    } else {
        "not a regular file; give a file, or pipe into standard input with `-`"
    };
    Err(refused(format!("{} is {what}", path.display())))
}
