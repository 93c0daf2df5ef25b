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
/// As [`merge_stored`]; `Locked` where a program has the session open: ask it for [`RESTORE`](crate::RESTORE). Where something
/// was stored all the same, the message says what.
pub fn restore_stored(
    engine: &Engine,
    session: &str,
    data: &Value,
    components: &[Component],
) -> Result<Option<Snapshot>> {
    let merged = merge_stored(engine, session, data, components)?;
    let before = stored(engine, session)?;
    let is_new = before.is_none();
    put(engine, session, merged.to_string(), before).map_err(|error| {
        match stored(engine, session) {
            Ok(Some(_)) if is_new => {
                error.context(format!("{session} had no state, and has an empty one now"))
            }
            _ => error,
        }
    })
}

/// Makes `wanted` the newest state in the place of `before`, as a deed. What is largest is kept first, so that a disk that
/// is full is met before there is anything else.
fn put(
    engine: &Engine,
    session: &str,
    wanted: String,
    before: Option<Restored>,
) -> Result<Option<Snapshot>> {
    let keep = |text: Vec<u8>, label: &str| {
        let save = engine.save_json(session, text).kind(Kind::Safety);
        save.label(label).intent("restore").commit()
    };
    let wanted = keep(wanted.into_bytes(), "to be restored")?;
    let before = match before {
        Some(before) => before.into_text(),
        None => {
            // So that there is something to come back to.
            let nothing = State::default().document(&Whereabouts::default(), Instant::now())?;
            let text = nothing.to_text();
            let first = engine.save_document(session, nothing).label("nothing yet");
            first.commit()?;
            text
        }
    };
    // On top, so that undo leads back there.
    keep(before, "before the restore")?;
    let restore = engine.put_back(&wanted.id.to_string()).even_if_equal();
    match restore.apply()?.head {
        Some(head) => Ok(Some(head)),
        None => engine.info(&format!("{session}@latest")).map(Some),
    }
}

/// The newest state of a session, where it has one.
fn stored(engine: &Engine, session: &str) -> Result<Option<Restored>> {
    match engine.restore(&format!("{session}@latest")) {
        Ok(stored) => Ok(Some(stored)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
