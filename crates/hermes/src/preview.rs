//! What restoring one session would do, without doing it.

use std::path::Path;

use dalsegno::durable::real;
use dalsegno::{Error, ErrorKind, Result};

use crate::recover::{Recovery, Source, decided, is_no_file};
use crate::status::{Counter, Recommendation};

/// What [`recover`](crate::recover) would do, without doing it: nothing is created or changed, no lock is taken, and
/// `restored` is false. Where it would restore the file, `from` says from what.
///
/// # Errors
/// As [`recover`](crate::recover). What would keep the file from being replaced, as far as a look can tell, is in
/// `error`.
pub fn preview_recover(path: &Path) -> Result<Recovery> {
    let status = Counter::Own.inspect(path)?;
    if status.recommend != Recommendation::Restore {
        return Ok(Recovery::none(status, None));
    }
    let put = decided(path, &status, true)?;
    if let Some(nothing) = Recovery::of_nothing(path, &status, &put) {
        return Ok(nothing);
    }
    if let Err(error) = would_put(path) {
        return Ok(Recovery::none(status, Some(error)));
    }
    Ok(Recovery {
        from: Source::of(&put),
        ..Recovery::none(status, None)
    })
}

/// Refuses a place in which no file can be put.
pub(crate) fn would_put(path: &Path) -> Result<()> {
    let real = real(path)?;
    if is_no_file(&real) {
        let message = format!("{} is not a file; give the path of one", real.display());
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    Ok(())
}
