//! Putting back the state of a session that somebody chose, whatever took it away.

use std::fs;
use std::io;
use std::path::Path;

use dalsegno::durable::{real, write_like};
use dalsegno::{Error, ErrorKind, Result};

use crate::count::{self, Count};
use crate::file;
use crate::generations::{self, generations};
use crate::lock::Lock;
use crate::name::backup_path;
use crate::preview::would_put;
use crate::rebuild::{self, Put};
use crate::recover::{Files, Recovery, Source};
use crate::status::Counter;

/// Puts a kept state back in the place of the session's file at `path`, whatever was the intent with which it was
/// displaced: one of its [generations](crate::generations()), or its backup. What stood there is kept.
///
/// # Errors
/// `InvalidInput` where `generation` is none of the session's, or no session; else as [`recover`](crate::recover), but
/// nothing is put into the answer.
pub fn recover_from(path: &Path, generation: &Path) -> Result<Recovery> {
    let _lock = Lock::of(path)?;
    let proof = chosen(path, generation)?;
    let backup = backup_path(path)?;
    let files = Files::of(path)?;
    let status = Counter::Own.inspect(path)?;
    let displaced = files.restore(&Put::Copy(generation.to_owned()), Some(proof))?;
    // It is what was asked for: what had more must not come back over it.
    let messages = |count: Count| count.to_i64();
    if messages(count::count(&backup)) > messages(proof) {
        let at = rebuild::modified(&backup)?;
        generations::keep(path, &backup, at, Some("put back"))?;
        let real = real(path)?;
        write_like(&backup, &real, |out| {
            let failed = |e| Error::io(format!("copying {}", real.display()), e);
            let mut file = file::open(&real).map_err(failed)?;
            io::copy(&mut file, out).map(drop).map_err(failed)
        })?;
    }
    Ok(Recovery {
        restored: true,
        displaced,
        from: Some(Source::Copy {
            path: generation.to_owned(),
            messages: proof,
        }),
        ..Recovery::none(status, None)
    })
}

/// What [`recover_from`] would do, without doing it; as [`preview_recover`](crate::preview_recover).
///
/// # Errors
/// As [`recover_from`].
pub fn preview_recover_from(path: &Path, generation: &Path) -> Result<Recovery> {
    let proof = chosen(path, generation)?;
    would_put(path)?;
    Ok(Recovery {
        from: Some(Source::Copy {
            path: generation.to_owned(),
            messages: proof,
        }),
        ..Recovery::none(Counter::Own.inspect(path)?, None)
    })
}

/// The messages of the state that is to be put back, which has to be one of this session's.
fn chosen(path: &Path, generation: &Path) -> Result<Count> {
    let backup = backup_path(path)?;
    let mut known = generations(path)?.into_iter().map(|it| it.path);
    if !is_same(generation, &backup) && !known.any(|known| is_same(generation, &known)) {
        let message = format!(
            "{} is no kept state of {}; `dalsegno hermes generations` lists them",
            generation.display(),
            path.display()
        );
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    match count::count(generation) {
        Count::Unreadable(why) => {
            let message = format!("{} cannot be put back: {why}", generation.display());
            Err(Error::new(ErrorKind::InvalidInput, message))
        }
        proof => Ok(proof),
    }
}

/// Whether two paths lead to the same file, however they are written: `s.json.bak` is `./s.json.bak`.
fn is_same(one: &Path, other: &Path) -> bool {
    let lead = |path| fs::canonicalize(path).ok();
    one == other || lead(one).is_some_and(|one| lead(other) == Some(one))
}
