//! Figures about what is kept: how much, how often, when, and what changes most.
//!
//! They come from the snapshots' rows, each proved. Content is read only to tell which components
//! change, and only of as many states as asked.

mod content;
mod tally;

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::damage::{Damage, only_damage, report, unless_damaged};
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::location;
use crate::model::{Kind, Snapshot, SnapshotId};
use crate::show;
use crate::store::{Flow, Row, Scan, SessionRow, View};

use content::Counter;
use tally::Tally;

/// What figures to make.
#[derive(Debug, Clone)]
pub struct StatsQuery {
    /// Of this session only.
    pub session: Option<String>,
    /// How many of each session's newest states are rebuilt to see which components change; with 0,
    /// content is not read.
    pub rebuild: usize,
    /// The zone of hours and days.
    pub zone: TimeZone,
}

impl Default for StatsQuery {
    fn default() -> Self {
        Self {
            session: None,
            rebuild: 0,
            zone: TimeZone::system(),
        }
    }
}

impl StatsQuery {
    /// How many states [`Engine::stats`] rebuilds of a session.
    pub const REBUILD: usize = 100;

    /// Everything about one session, its components included.
    #[must_use]
    pub fn session(name: impl Into<String>) -> Self {
        Self {
            session: Some(name.into()),
            rebuild: Self::REBUILD,
            ..Self::default()
        }
    }
}

/// Figures about a store or a session. What is damaged is in `damage` and in none of the figures.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// The session that the figures are of; none for those of the whole store.
    pub session: Option<String>,
    /// Bytes of the store's file and the log beside it, where it is a file.
    pub file_bytes: Option<u64>,
    /// How many sessions.
    pub sessions: u64,
    /// How many snapshots.
    pub snapshots: u64,
    /// How many of them are of a state that had not changed.
    pub unchanged: u64,
    /// How many have a name.
    pub named: u64,
    /// How many a [repair marked](crate::Repaired): they are not, or not all of them, as they were saved.
    pub repaired: u64,
    /// How many of each kind; kinds that do not occur are left out.
    pub kinds: BTreeMap<Kind, u64>,
    /// Bytes of text of all snapshots: what a full copy for each would take.
    pub text_bytes: u64,
    /// Bytes of their records when they were committed; packed into blocks, they take less.
    pub stored_bytes: u64,
    /// How many times more bytes the texts have than the records.
    pub ratio: Option<f64>,
    /// Snapshots that were deleted and can still be had back.
    pub trash: u64,
    /// The one taken first.
    pub oldest: Option<Snapshot>,
    /// The one taken last.
    pub newest: Option<Snapshot>,
    /// Between the snapshots of a session, guard and safety snapshots left out.
    pub intervals: Option<Intervals>,
    /// The zone of `hours` and `days`: its name, where it has one.
    pub zone: Option<String>,
    /// How many snapshots were taken in each hour of the day, from midnight on.
    pub hours: [u64; 24],
    /// The days on which snapshots were taken, in order.
    pub days: Vec<Day>,
    /// Each session, the one whose records took most first.
    pub by_session: Vec<SessionStats>,
    /// Which components change; none where content was not read.
    pub components: Option<Components>,
    /// What could not be read, and is not in the figures.
    pub damage: Vec<Damage>,
}

/// Times between one snapshot of a session and the next one taken, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Intervals {
    /// How many.
    pub count: u64,
    /// The one in the middle; of an even number, the longer of the two.
    pub median: f64,
    /// The shortest.
    pub shortest: f64,
    /// The longest.
    pub longest: f64,
}

/// A day on which snapshots were taken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Day {
    /// In the zone of the figures.
    pub date: Date,
    /// How many snapshots.
    pub snapshots: u64,
    /// Bytes of their texts.
    pub text_bytes: u64,
    /// Bytes of their records when they were committed.
    pub stored_bytes: u64,
}

/// One session among others.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct SessionStats {
    /// Its name.
    pub session: String,
    /// How many snapshots.
    pub snapshots: u64,
    /// How many of them are of a state that had not changed.
    pub unchanged: u64,
    /// Bytes of text of all snapshots.
    pub text_bytes: u64,
    /// Bytes of their records when they were committed.
    pub stored_bytes: u64,
    /// How many times more bytes the texts have than the records.
    pub ratio: Option<f64>,
    /// When the first was taken.
    pub oldest: Option<Timestamp>,
    /// When the last was taken.
    pub newest: Option<Timestamp>,
    /// Between its snapshots.
    pub intervals: Option<Intervals>,
}

/// Which components change from one state to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Components {
    /// How many of each session's newest states were asked for.
    pub newest: usize,
    /// How many snapshots were looked at; guard and safety snapshots are passed over.
    pub snapshots: u64,
    /// How many of them were compared with the one before. The first has none, nor has the one after
    /// a snapshot that could not be read.
    pub compared: u64,
    /// How many could not be read; `damage` names them.
    pub unreadable: u64,
    /// The components, the most changed first, up to a hundred.
    pub changes: Vec<ComponentStats>,
    /// How many more there are.
    pub more: u64,
}

/// How often a component changes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct ComponentStats {
    /// Its name; a state that is no object has one component, `document`.
    pub name: String,
    /// In how many of the snapshots that were compared its bytes differ from the one before, or it
    /// came or went.
    pub changed: u64,
    /// Bytes of its value in the newest state that was read, of all sessions together.
    pub bytes: u64,
}

impl Engine {
    /// Figures about `session`, with the components that changed in its newest 100 states; or about
    /// the whole store, without reading content.
    ///
    /// ```
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let engine = dalsegno::Engine::create(folder.path().join("store.db"))?;
    /// for volume in [30, 75] {
    ///     let player = serde_json::json!({"volume": volume, "upcoming": ["Blue Train"]});
    ///     engine.save("bot/42", &player).commit()?;
    /// }
    /// let stats = engine.stats(Some("bot/42"))?;
    /// assert_eq!(stats.snapshots, 2);
    /// assert_eq!(stats.components.unwrap().changes[0].name, "volume");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound` where there is no such session; `Storage` or `Locked` where the store cannot be read
    /// at all. Damage is no error here: it is named in the figures, which leave out what it hit.
    pub fn stats(&self, session: Option<&str>) -> Result<Stats> {
        let query = session.map(StatsQuery::session);
        self.stats_with(&query.unwrap_or_default(), &mut |_| {})
    }

    /// As [`stats`](Engine::stats), with choices; `progress` hears the name of each session whose
    /// content was read.
    ///
    /// # Errors
    /// As [`stats`](Engine::stats).
    pub fn stats_with(&self, query: &StatsQuery, progress: &mut dyn FnMut(&str)) -> Result<Stats> {
        let view = self.view()?;
        let store = &self.store().info().id;
        let mut damage = Vec::new();
        let sessions = match &query.session {
            Some(name) => vec![self.session_row(&*view, name)?],
            None => every_session(&*view, &mut damage)?,
        };
        for row in sessions.iter().filter(|row| !row.is_intact(store)) {
            let message = "the row of the session is damaged: its checksum differs".to_owned();
            report(&mut damage, Some(&row.name), Vec::new(), message);
        }
        let mut tally = Tally::new(&sessions, store, query.zone.clone());
        let scan = Scan {
            session: query.session.as_ref().and(sessions.first()).map(|s| s.id),
            ..Scan::default()
        };
        let read = view.snapshots(&scan, &mut |row| {
            tally.take(&row, &mut damage);
            Flow::Continue(())
        });
        unless_damaged(&mut damage, read)?;
        tally.look_for_heads(&mut damage);

        let mut stats = tally.finish();
        for (seq, place) in [
            (tally.oldest(), &mut stats.oldest),
            (tally.newest(), &mut stats.newest),
        ] {
            let row = seq.map(|seq| view.snapshot(seq)).transpose()?.flatten();
            *place = match row.map(|row| self.describe(&*view, &row)).transpose() {
                Ok(described) => described,
                // The name of its session is not to be trusted, which is reported already.
                Err(error) => only_damage(error).map(|_| None)?,
            };
        }
        stats.session.clone_from(&query.session);
        // The index of the log is in memory; its file goes when the store is closed.
        let bytes = |path: std::path::PathBuf| location::bytes(&path, &["", "-wal"]);
        stats.file_bytes = self.path().map(bytes);
        stats.trash = trash(&*view, &sessions, &mut damage)?;
        if query.rebuild > 0 {
            let mut counter = Counter::new(query.rebuild);
            for row in &sessions {
                let lost = counter.session(&*view, store, row);
                for (id, error) in unless_damaged(&mut damage, lost)?.unwrap_or_default() {
                    report(&mut damage, Some(&row.name), vec![id], error.to_string());
                }
                progress(&row.name);
            }
            stats.components = Some(counter.finish());
        }
        stats.damage = damage;
        Ok(stats)
    }

    /// The session's row; a damaged one is given too, for its snapshots can be found all the same.
    fn session_row(&self, view: &dyn View, name: &str) -> Result<SessionRow> {
        let row = match show::known_session(view, &self.store().info().id, name) {
            Err(error) if error.kind() == ErrorKind::Damaged => view.session(name)?.ok_or(error)?,
            found => found?,
        };
        Ok(row)
    }
}

fn every_session(view: &dyn View, damage: &mut Vec<Damage>) -> Result<Vec<SessionRow>> {
    let mut sessions = Vec::new();
    let read = view.sessions(&mut |row| {
        sessions.push(row);
        Flow::Continue(())
    });
    unless_damaged(damage, read)?;
    Ok(sessions)
}

/// The number of these sessions' snapshots in the trash.
fn trash(view: &dyn View, sessions: &[SessionRow], damage: &mut Vec<Damage>) -> Result<u64> {
    let wanted: HashSet<i64> = sessions.iter().map(|row| row.id).collect();
    let mut count = 0;
    let read = view.trash(&mut |row| {
        count += u64::from(wanted.contains(&row.snapshot.session));
        Flow::Continue(())
    });
    unless_damaged(damage, read)?;
    Ok(count)
}

fn ratio(text_bytes: u64, stored_bytes: u64) -> Option<f64> {
    (stored_bytes > 0).then(|| text_bytes as f64 / stored_bytes as f64)
}

/// A read whose damage belongs to one snapshot.
type Lost = Vec<(SnapshotId, Error)>;

/// Damage is kept for the report; any other error ends the work.
fn keep_damage(lost: &mut Lost, id: SnapshotId, error: Error) -> Result<()> {
    lost.push((id, only_damage(error)?));
    Ok(())
}
