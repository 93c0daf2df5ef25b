//! What a save takes away is kept first.

use std::fs;
use std::path::Path;

use dalsegno::durable::write_like;
use dalsegno::{Error, ErrorKind, Result};

use crate::count::{self, Count, Unreadable};
use crate::file;
use crate::generations::{self, Limits};
use crate::name::backup_path;
use crate::rebuild::{self, has_more, loses, modified, read};
use crate::save::Saved;

/// Keeps the file at `real`, which has more messages than the text that takes its place: as the backup, or, where
/// the backup has still more, as a generation.
pub(crate) fn keep_shrunk(path: &Path, real: &Path, saved: &mut Saved) -> Result<()> {
    let backup = backup_path(path)?;
    let there = count::count(&backup);
    if there.to_i64() > saved.before.to_i64() {
        if has_more(real, &[&read(&backup)?])? {
            let now = generations::now(path)?;
            saved.generation = Some(generations::keep(path, real, now, None)?.0);
        }
        saved.backup = Some(backup);
        return Ok(());
    }
    let may_be_lost = match there {
        Count::Messages(_) => has_more(&backup, &[&read(real)?])?,
        Count::Unreadable(Unreadable::TooDeep) => true,
        Count::Unreadable(_) => false,
    };
    let kept = if may_be_lost {
        let at = modified(&backup)?;
        Some(generations::keep(path, &backup, at, None)?)
    } else {
        None
    };
    match (copy(real, &backup, saved.before), kept) {
        (Ok(()), _) => {
            saved.backup = Some(backup);
            Ok(())
        }
        (Err(error), Some((new, true))) if count::count(&backup) == there => {
            // What stays is one file more than needed.
            let _stays = fs::remove_file(new);
            Err(error)
        }
        (Err(error), _) => Err(error),
    }
}

/// Keeps the file at `real` because of what a save takes away on purpose, and sees to it that the backup does not
/// bring it back: it has the new text from now on, with what had been lost by accident and is still to be restored.
pub(crate) fn keep_meant(
    path: &Path,
    real: &Path,
    text: &[u8],
    intent: &str,
    saved: &mut Saved,
) -> Result<()> {
    let backup = backup_path(path)?;
    let there = count::count(&backup);
    let now = generations::now(path)?;
    let before = match saved.before {
        Count::Messages(_) => Some(read(real)?),
        Count::Unreadable(_) => None,
    };
    if before.is_none() && there == Count::Unreadable(Unreadable::Missing) {
        return Ok(());
    }
    let takes = before.as_deref().is_none_or(|before| loses(before, text));
    if !takes && there.to_i64() <= count::of(text).to_i64() {
        return Ok(());
    }
    let pending = there.to_i64() > saved.before.to_i64();
    let merged = match there {
        Count::Messages(_) if pending => {
            rebuild::pending(text, before.as_deref(), &backup, intent, now)?
        }
        _ => None,
    };
    let new = merged.as_deref().unwrap_or(text);
    let all: Vec<&[u8]> = before.as_deref().into_iter().chain([new]).collect();
    if matches!(there, Count::Messages(_)) && has_more(&backup, &all)? {
        generations::keep(path, &backup, modified(&backup)?, None)?;
    }
    if before.is_some() {
        // After the one from the backup, which may be of this moment.
        let now = now.max(generations::now(path)?);
        saved.generation = Some(generations::keep(path, real, now, Some(intent))?.0);
    }
    write_like(&backup, real, |out| {
        let failed = |e| Error::io(format!("writing {}", backup.display()), e);
        out.write_all(new).map_err(failed)
    })
}

/// Sees that no more is kept than is to be. What cannot be removed now stays until later.
pub(crate) fn tidy(path: &Path, limits: &Limits) {
    let _later = generations::settle(path, limits);
}

/// Copies the file at `real` to `backup`, and proves that the copy has the messages that were counted.
fn copy(real: &Path, backup: &Path, counted: Count) -> Result<()> {
    write_like(backup, real, |out| {
        let failed = |e| Error::io(format!("copying {}", real.display()), e);
        let mut file = file::open(real).map_err(failed)?;
        let copied = count::read(&mut file, |piece| out.write_all(piece)).map_err(failed)?;
        if copied == counted {
            return Ok(());
        }
        let message = format!(
            "another program changed {} while it was being copied; try again when it is done",
            real.display()
        );
        Err(Error::new(ErrorKind::Conflict, message))
    })
}
