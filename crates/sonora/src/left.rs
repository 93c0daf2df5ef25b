//! The players that were left when their bot went, as their sessions tell.

use std::collections::HashSet;

use dalsegno::{Engine, ErrorKind, Result, SnapshotId};
use jiff::Timestamp;
use serde_json::Value;

use crate::bot::Recovery;
use crate::client::Left;

/// Opens the sessions of all players that have something to play, and reads them. One that another program has open,
/// or that cannot be read, holds up no other.
pub(crate) fn left(engine: &Engine, app: &str) -> Result<(Vec<Left>, Recovery)> {
    let guild = |session: &str| {
        session
            .strip_prefix(app)?
            .strip_prefix('/')?
            .parse::<u64>()
            .ok()
    };
    let sessions = engine.recover_only(|session| guild(session).is_some())?;
    let mut recovery = Recovery {
        sessions,
        ..Recovery::default()
    };
    let mut found = Vec::new();
    for session in engine.sessions()? {
        let Some(guild) = guild(&session) else {
            continue;
        };
        match read(engine, &session, guild) {
            Ok(Some((left, at))) => found.push((session, left, at)),
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => recovery.passed_over.push((session, error)),
        }
    }
    let names: Vec<&str> = found.iter().map(|(session, ..)| session.as_str()).collect();
    let opened = engine.open_together(&names)?;
    let mut left = Vec::new();
    for ((session, read_first, at), opened) in found.into_iter().zip(opened) {
        match opened.and_then(|_| unless_newer(engine, &session, read_first, at)) {
            Ok(it) => left.extend(it),
            Err(error) => recovery.passed_over.push((session, error)),
        }
    }
    close_others(engine, &recovery, &left, app);
    Ok((left, recovery))
}

/// What was read before the session was open may be old by now.
fn unless_newer(
    engine: &Engine,
    session: &str,
    left: Left,
    at: SnapshotId,
) -> Result<Option<Left>> {
    if engine.info(&latest(session))?.id == at {
        return Ok(Some(left));
    }
    Ok(read(engine, session, left.guild)?.map(|(left, _)| left))
}

/// What was recovered and has nothing to play is nobody's any more.
fn close_others(engine: &Engine, recovery: &Recovery, left: &[Left], app: &str) {
    let kept: HashSet<String> = left
        .iter()
        .map(|it| format!("{app}/{}", it.guild))
        .collect();
    for recovered in recovery
        .sessions
        .iter()
        .filter(|it| it.error.is_none() && !kept.contains(&it.session))
    {
        // Where this fails, the next start finds it again.
        drop(engine.close_session(&recovered.session));
    }
}

/// The player of a session, where it has anything to play, and the snapshot that says so.
fn read(engine: &Engine, session: &str, guild: u64) -> Result<Option<(Left, SnapshotId)>> {
    let restored = engine.restore(&latest(session))?;
    let document: Value = restored.to()?;
    let ago = Timestamp::now().duration_since(restored.snapshot().created_at);
    // By a clock that was set back, it was just now.
    let left = Left::read(guild, &document, ago.try_into().unwrap_or_default())?;
    let absent = left.state.is_idle() && left.state.channel.is_none();
    Ok((!absent).then_some((left, restored.snapshot().id)))
}

fn latest(session: &str) -> String {
    format!("{session}@latest")
}
