//! Restoring while no bot has the player: into what is stored, to be put on a node when a bot starts.

use std::time::Instant;

use dalsegno::{Engine, ErrorKind, Kind, Restored, Result, Snapshot};
use serde_json::Value;

use super::document;
use crate::player::{Component, State, Whereabouts, apply, unreadable};

/// What a player would be with these components of the snapshot `data`: all else, its node and its channel are as
/// they are stored for its session, or as on a new player.
///
/// # Errors
/// `InvalidInput` where one of both is no player's; as [`Engine::restore`].
pub fn merge_stored(
    engine: &Engine,
    session: &str,
    data: &Value,
    components: &[Component],
) -> Result<Value> {
    let (wanted, _) = State::read(data)?;
    let components = Component::present(data, components)?;
    let (mut state, at) = match stored(engine, session)? {
        Some(stored) => {
            let read = State::read(&stored.to()?);
            read.map_err(unreadable(stored.snapshot()))?
        }
        None => (State::default(), Whereabouts::default()),
    };
    apply(&mut state, &wanted, &components);
    document(&state.document(&at, Instant::now())?.to_text())
}

/// Makes these components of the snapshot `data` the newest stored state of a session, as a restore that can be undone.
/// The next bot that starts puts it on a node.
///
/// # Errors
/// As [`merge_stored`]; `Locked` where a program has the session open: ask it for [`RESTORE`](crate::RESTORE).
pub fn restore_stored(
    engine: &Engine,
    session: &str,
    data: &Value,
    components: &[Component],
) -> Result<Option<Snapshot>> {
    let merged = merge_stored(engine, session, data, components)?;
    let before = stored(engine, session)?;
    let keep = |text: Vec<u8>, label: &str| {
        let save = engine.save_json(session, text).kind(Kind::Safety);
        save.label(label).intent("restore").commit()
    };
    let Some(before) = before else {
        // So that there is something to come back to.
        let nothing = State::default().document(&Whereabouts::default(), Instant::now())?;
        let first = engine.save_document(session, nothing).label("nothing yet");
        first.commit()?;
        return restore_stored(engine, session, data, components);
    };
    let wanted = keep(merged.to_string().into_bytes(), "to be restored")?;
    // On top, so that undo leads back there.
    keep(before.into_text(), "before the restore")?;
    let restore = engine.put_back(&wanted.id.to_string()).even_if_equal();
    Ok(restore.apply()?.head)
}

/// The newest state of a session, where it has one.
fn stored(engine: &Engine, session: &str) -> Result<Option<Restored>> {
    match engine.restore(&format!("{session}@latest")) {
        Ok(stored) => Ok(Some(stored)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
