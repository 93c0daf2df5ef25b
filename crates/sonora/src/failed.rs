//! What the log says of a restore that the node did not do: what was stored before it alone would not tell.

use dalsegno::{Engine, Error, Result, SnapshotId};

use crate::player::{Component, Player};

/// A restore of `from`, where that is a snapshot, failed. The player is as it was, unless it is astray.
pub(crate) fn note_failed(
    engine: &Engine,
    session: &str,
    player: &Player,
    from: Option<SnapshotId>,
    components: &[Component],
    error: &Error,
) -> Result<()> {
    let all = Component::ALL.iter().all(|it| components.contains(it));
    let words = components.iter().filter(|_| !all);
    let words: Vec<String> = words.map(|it| it.as_str().to_owned()).collect();
    let target = format!("the player of guild {}", player.guild());
    let (why, put_back) = (error.to_string(), !player.is_astray());
    engine.note_failed_restore(session, &target, from, &words, &why, put_back)
}
