//! What is not as it was written, said once for each reason.

use crate::error::{Error, ErrorKind, Result};
use crate::model::SnapshotId;

/// Something that is not as it was written, and what is lost by it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
#[non_exhaustive]
pub struct Damage {
    /// The session it belongs to, where it belongs to one.
    pub session: Option<String>,
    /// The snapshots that cannot be restored because of it.
    pub snapshots: Vec<SnapshotId>,
    /// What is wrong.
    pub message: String,
}

/// Adds a damage to those that are known.
pub(crate) fn report(
    known: &mut Vec<Damage>,
    session: Option<&str>,
    snapshots: Vec<SnapshotId>,
    message: String,
) {
    let session = session.map(str::to_owned);
    // A broken chain loses many snapshots for one reason: that is one damage.
    let same = known
        .iter_mut()
        .find(|d| d.session == session && d.message == message);
    match same {
        Some(damage) => damage.snapshots.extend(snapshots),
        None => known.push(Damage {
            session,
            snapshots,
            message,
        }),
    }
}

/// Damage is reported; any other error ends the work.
pub(crate) fn only_damage(error: Error) -> Result<Error> {
    if error.kind() == ErrorKind::Damaged {
        Ok(error)
    } else {
        Err(error)
    }
}

/// What was read; damage on the way is reported, any other error ends the work.
pub(crate) fn unless_damaged<T>(known: &mut Vec<Damage>, read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) => {
            report(known, None, Vec::new(), only_damage(error)?.to_string());
            Ok(None)
        }
    }
}
