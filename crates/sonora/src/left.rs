//! Players that a bot left, as their sessions tell.

use std::collections::HashSet;
use std::time::Duration;

use dalsegno::{
    Engine, Error, ErrorKind, Kind, Operation, Recovered, Result, Snapshot, SnapshotId,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::bring::Brought;
use crate::player::{State, Whereabouts, unreadable};

/// A player as it was, to be brought back.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Left {
    /// Its guild.
    pub guild: u64,
    /// Its state.
    pub state: State,
    /// The name of the node that it was on.
    pub node: Option<String>,
    /// The session of that node.
    pub session: Option<String>,
    /// How long ago its node was heard of.
    pub ago: Duration,
    /// Whether this state was put back while no bot had it: it holds, whatever the node plays.
    pub restored: bool,
}

impl Left {
    /// A player as its document told `ago`.
    ///
    /// # Errors
    /// `InvalidInput` where it is no player's.
    pub fn read(guild: u64, document: &Value, ago: Duration) -> Result<Self> {
        let (state, at) = State::read(document)?;
        let unheard = at.heard.map(|heard| Timestamp::now().duration_since(heard));
        // By a clock that was set back, it was as long ago as the document.
        let unheard = unheard.and_then(|time| Duration::try_from(time).ok());
        Ok(Self {
            guild,
            state,
            node: at.node,
            session: at.session,
            ago: unheard.map_or(ago, |time| time.max(ago)),
            restored: false,
        })
    }
}

/// What was found at a start.
#[derive(Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Recovery {
    /// Sessions that a bot left without closing them, and whether their newest states were intact.
    pub sessions: Vec<Recovered>,
    /// What became of the players.
    pub players: Vec<Brought>,
    /// Sessions that are no player's, or cannot be read, and why. They are as they were.
    pub passed_over: Vec<(String, Error)>,
}

/// Opens the sessions of an app's players that have something to play, and reads them. One that another program has
/// open, or that cannot be read, holds up no other.
///
/// # Errors
/// `Storage`, `Denied` or `Locked` where the store cannot be read or written.
pub(crate) fn left(engine: &Engine, app: &str) -> Result<(Vec<Left>, Recovery)> {
    let sessions = engine.recover_only(|session| guild_of(app, session).is_some())?;
    let mut recovery = Recovery {
        sessions,
        ..Recovery::default()
    };
    let mut found = Vec::new();
    for session in engine.sessions()? {
        let Some(guild) = guild_of(app, &session) else {
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
    let recovered = recovery.sessions.iter().filter(|it| it.error.is_none());
    for it in recovered.filter(|it| !kept.contains(&it.session)) {
        // Where this fails, the next start finds it again.
        drop(engine.close_session(&it.session));
    }
}

/// The guild of a session of an app.
pub(crate) fn guild_of(app: &str, session: &str) -> Option<u64> {
    session.strip_prefix(app)?.strip_prefix('/')?.parse().ok()
}

/// The player of a session, where it has anything to play, or is to have nothing, and the snapshot that says so.
fn read(engine: &Engine, session: &str, guild: u64) -> Result<Option<(Left, SnapshotId)>> {
    let stored = engine.restore(&latest(session))?;
    let document: Value = stored.to()?;
    let ago = Timestamp::now().duration_since(stored.snapshot().created_at);
    // By a clock that was set back, it was just now.
    let left = Left::read(guild, &document, ago.try_into().unwrap_or_default());
    let mut left = left.map_err(unreadable(stored.snapshot()))?;
    let mut newest = stored.snapshot().clone();
    // A name that somebody gave to it since changes nothing; a bot that went on from it would have saved it by itself.
    while let (true, Kind::Manual, Some(parent)) = (newest.unchanged, newest.kind, newest.parent) {
        newest = engine.info(&parent.to_string())?;
    }
    if was_put_back(&newest) {
        left.restored = true;
        // The node, and Discord, know it as it was before that.
        let (channel, at) = before(engine, &newest).unwrap_or_default();
        left.state.channel = channel.or(left.state.channel);
        (left.node, left.session) = (at.node, at.session);
    }
    let absent = left.state.is_idle() && left.state.channel.is_none() && !left.restored;
    Ok((!absent).then_some((left, stored.snapshot().id)))
}

fn latest(session: &str) -> String {
    format!("{session}@latest")
}

/// What was restored for a guild while no bot had its player, and is to be put on a node.
pub(crate) fn waiting(engine: &Engine, session: &str, guild: u64) -> Result<Option<Left>> {
    let left = read(engine, session, guild)?.map(|(left, _)| left);
    Ok(left.filter(|left| left.restored))
}

/// Whether this is an earlier state that was made the newest, and no bot went on from it yet.
fn was_put_back(snapshot: &Snapshot) -> bool {
    matches!(
        snapshot.operation,
        Some(
            Operation::Restore { .. }
                | Operation::Rollback { .. }
                | Operation::Undo { .. }
                | Operation::Redo { .. }
        )
    )
}

/// How many restores in a row are looked past.
const MOST: usize = 100;

/// Where the player last was, before its state was put back.
fn before(engine: &Engine, snapshot: &Snapshot) -> Option<(Option<u64>, Whereabouts)> {
    let mut parent = snapshot.parent?;
    for _ in 0..MOST {
        let found = engine.info(&parent.to_string()).ok()?;
        if !was_put_back(&found) {
            let document: Value = engine.restore(&parent.to_string()).ok()?.to().ok()?;
            let (state, at) = State::read(&document).ok()?;
            return Some((state.channel, at));
        }
        parent = found.parent?;
    }
    None
}
