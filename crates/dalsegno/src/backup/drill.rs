//! A restore that is tried, to know that it would work.

use std::env;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use super::folder::{Backup, UnreadableBackup};
use super::restore::choose;
use super::scratch::Scratch;
use super::set::BackupProgress;
use crate::error::Result;
use crate::location;
use crate::options::Options;
use crate::verify::Verification;

/// What trying to restore the newest backup came to.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct Drill {
    /// The backup.
    pub backup: Backup,
    /// How old it was: what was saved since would be lost. In seconds.
    pub age_seconds: i64,
    /// How long it took to restore and to prove it.
    #[serde(rename = "took_ms", serialize_with = "millis")]
    pub took: Duration,
    /// Later backups that could not be asked what was erased since.
    pub unread: Vec<UnreadableBackup>,
    /// What was proved.
    pub verification: Verification,
}

fn millis<S: serde::Serializer>(took: &Duration, to: S) -> std::result::Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}

impl Options {
    /// Restores the newest backup in the folder `from`, or the one in that archive, to a scratch folder in `scratch` (that of
    /// the system for temporary files, where none is given), proves every state of it, and takes it away again; what a
    /// drill left there that was killed goes too. Nothing else is changed.
    ///
    /// # Errors
    /// As [`restore_backup`](Self::restore_backup): then the backup cannot be restored. Damage that the store had when the
    /// backup was made is in what was proved.
    pub fn drill(
        self,
        from: impl AsRef<Path>,
        scratch: Option<&Path>,
        progress: &mut dyn FnMut(BackupProgress) -> ControlFlow<()>,
    ) -> Result<Drill> {
        let path = choose(from.as_ref(), None)?;
        let within = scratch.map_or_else(env::temp_dir, Path::to_owned);
        let folder = Scratch::make(&within, ".dalsegno-drill-")?;
        let now = self.clock_given().now();
        let began = Instant::now();
        let file = folder.path().join(location::FILE_NAME);
        let restored = self.stage(&path, &file, false, progress)?;
        Ok(Drill {
            age_seconds: now.as_second() - restored.backup.taken_at.as_second(),
            took: began.elapsed(),
            backup: restored.backup,
            unread: restored.unread,
            verification: restored.verification,
        })
    }
}
