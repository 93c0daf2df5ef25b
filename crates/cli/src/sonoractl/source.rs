//! What is restored or shown: a snapshot of the store, or a file.

use std::path::Path;

use dalsegno::{ErrorKind, Snapshot};
use dalsegno_sonora::{LiveQueue, MAX_FILE_SIZE, SnapshotFile};
use serde_json::Value;

use super::guilds::Guilds;
use crate::failure::{Failure, Result};
use crate::{human, input};

/// A state of a player, and where it is from.
pub(super) struct Source {
    /// Whose it is.
    pub(super) guild: u64,
    /// Its components.
    pub(super) data: Value,
    /// What they hold.
    pub(super) queue: LiveQueue,
    pub(super) from: From,
}

pub(super) enum From {
    Store(Box<Snapshot>),
    File(Box<SnapshotFile>),
}

impl Source {
    /// The snapshot of that name; where there is none, the file.
    pub(super) fn find(guilds: &Guilds<'_>, name: &str, guild: Option<u64>) -> Result<Self> {
        let path = Path::new(name);
        let found = match guilds.find(name, guild) {
            Err(failure) if failure.is_missing() && path.exists() => None,
            Err(failure) if failure.is_missing() => return Err(no_file(failure, name)),
            found => Some(found?),
        };
        let Some(snapshot) = found else {
            let size = path.metadata().map_or(0, |found| found.len());
            input::check_size(size, MAX_FILE_SIZE as u64, &human::safe(name))?;
            let file = SnapshotFile::load(path)?;
            let data = Value::Object(file.data.clone());
            let queue = LiveQueue::read(file.guild_id, &data);
            return Ok(Self {
                guild: file.guild_id,
                queue: queue.map_err(|error| error.context(path.display()))?,
                data,
                from: From::File(Box::new(file)),
            });
        };
        let guild = guilds
            .guild(&snapshot.session)
            .ok_or_else(|| Failure::new(ErrorKind::InvalidInput, "it is of no player"))?;
        let restored = guilds.engine.restore(&snapshot.id.to_string())?;
        Ok(Self {
            guild,
            queue: LiveQueue::restored(guild, &restored)?,
            data: restored.to()?,
            from: From::Store(Box::new(snapshot)),
        })
    }
}

/// Says that there is no file either, where the name could be one's.
pub(super) fn no_file(failure: Failure, name: &str) -> Failure {
    if name.contains('@') {
        return failure;
    }
    let path = std::path::absolute(name).unwrap_or_else(|_| name.into());
    let path = human::safe(&path.display().to_string());
    failure.advise(&format!("nor is there a file {path}"))
}
