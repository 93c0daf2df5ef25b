//! Players that a bot left, as their sessions tell.

use std::collections::HashMap;
use std::time::Duration;

use dalsegno::{Engine, Error, ErrorKind, Holding, Kind, Operation, Recovered, Result, Snapshot};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::bring::Brought;
use crate::player::{State, Whereabouts};

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
    /// How long ago that was.
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
        Ok(Self {
            guild,
            state,
            node: at.node,
            session: at.session,
            ago,
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

/// The players of an app that were left. Those that another program has open are none: they are passed over.
///
/// # Errors
/// `Storage`, `Denied` or `Locked` where the store cannot be read or written.
pub(crate) fn left(engine: &Engine, app: &str) -> Result<(Vec<Left>, Recovery)> {
    let sessions = engine.recover_only(|session| guild_of(app, session).is_some())?;
    let mut recovery = Recovery {
        sessions,
        ..Recovery::default()
    };
    let mut left = Vec::new();
    let held = held(engine)?;
    let now = Timestamp::now();
    for session in engine.sessions()? {
        let Some(guild) = guild_of(app, &session) else {
            continue;
        };
        if let Some(by) = held.get(&session) {
            let message =
                format!("{by} has it open; it is handed over, or that program is stopped");
            let error = Error::new(ErrorKind::Locked, message);
            recovery.passed_over.push((session, error));
            continue;
        }
        match read(engine, &session, guild, now) {
            Ok(Some(it)) => left.push(it),
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => recovery.passed_over.push((session, error)),
        }
    }
    Ok((left, recovery))
}

/// The guild of a session of an app.
pub(crate) fn guild_of(app: &str, session: &str) -> Option<u64> {
    session.strip_prefix(app)?.strip_prefix('/')?.parse().ok()
}

/// The sessions that other programs have open, and who.
fn held(engine: &Engine) -> Result<HashMap<String, String>> {
    let own: HashMap<_, _> = engine.open_sessions().into_iter().collect();
    let holders = engine.holders()?.into_iter();
    let others =
        holders.filter(|it| it.standing == Holding::Open && !own.contains_key(&it.session));
    let named = others.map(|it| {
        let program = it.program.unwrap_or_else(|| "another program".to_owned());
        let pid = it
            .pid
            .map_or_else(String::new, |pid| format!(" (process {pid})"));
        (it.session, format!("{program}{pid}"))
    });
    Ok(named.collect())
}

/// The player of a session, where it has anything to play, or is to have nothing.
fn read(engine: &Engine, session: &str, guild: u64, now: Timestamp) -> Result<Option<Left>> {
    let stored = engine.restore(&format!("{session}@latest"))?;
    let document: Value = stored.to()?;
    let ago = now.duration_since(stored.snapshot().created_at);
    // By a clock that was set back, it was just now.
    let mut left = Left::read(guild, &document, ago.try_into().unwrap_or_default())?;
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
    Ok((!absent).then_some(left))
}

/// What was restored for a guild while no bot had its player, and is to be put on a node.
pub(crate) fn waiting(engine: &Engine, session: &str, guild: u64) -> Result<Option<Left>> {
    let left = read(engine, session, guild, Timestamp::now())?;
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
