//! What the migrations of a program would do to everything that is stored.

use std::collections::{BTreeMap, HashMap};

use super::chain::{Chain as Migrating, Way};
use super::step::Migration;
use crate::chain;
use crate::codec::detail;
use crate::damage::{self, Damage, only_damage};
use crate::delete;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Action, Snapshot, SnapshotId, StoreId};
use crate::show::{self, describe};
use crate::store::{Flow, Row, Scan, SessionRow, SnapshotRow, TrashRow, View};
use crate::walk::Chain;

/// What the migrations would do to what is stored. Nothing was written.
#[derive(Debug, Clone, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Rehearsal {
    /// How many sessions have migrations, and were looked at.
    pub sessions: u64,
    /// How many snapshots they have, those in the trash too.
    pub snapshots: u64,
    /// How many of them carry the newest schema version.
    pub current: u64,
    /// How many would be migrated.
    pub migrated: u64,
    /// By which steps.
    pub steps: Vec<RehearsedStep>,
    /// Those that a step fails for.
    pub failed: Vec<NotMigrated>,
    /// Those with a schema version that no step starts from.
    pub unknown: Vec<NotMigrated>,
    /// Those whose states cannot be proved.
    pub damage: Vec<Damage>,
    /// How many sessions have no migrations. They were not looked at.
    pub others: u64,
}

/// A step, and how many snapshots took it on their way to the newest version.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct RehearsedStep {
    /// For the sessions of which pattern.
    pub sessions: String,
    /// From which schema version; from none.
    pub from: Option<String>,
    /// To which.
    pub to: String,
    /// How many snapshots took it.
    pub snapshots: u64,
}

/// A snapshot that cannot be had in the current shape. Its saved bytes can.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct NotMigrated {
    /// The snapshot.
    pub id: SnapshotId,
    /// Its session.
    pub session: String,
    /// The schema version that it carries, if any.
    pub schema_version: Option<String>,
    /// The version that the step starts from which failed; none also where no step starts at all.
    pub from: Option<String>,
    /// The version that this step leads to; none where no step starts from the snapshot's.
    pub to: Option<String>,
    /// Whether it is in the trash.
    pub deleted: bool,
    /// What the step said, or why there is none.
    pub message: String,
}

impl Rehearsal {
    /// Whether everything that is stored can be had in the current shape.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.failed.is_empty() && self.unknown.is_empty() && self.damage.is_empty()
    }
}

impl Engine {
    /// Runs the migrations of this program (`Options::migrations`) over every stored snapshot of `session`, or of all
    /// sessions that have some, those in the trash too, and says what came of it. Each state is built once and proved.
    /// Nothing is written.
    ///
    /// ```
    /// use dalsegno::{Engine, Migration, Migrations, Options};
    ///
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("store.db");
    /// let old = Engine::create(&path)?;
    /// old.save("bot/1", &serde_json::json!({"tracks": ["Blue Train"]})).schema_version("1").commit()?;
    /// old.save("bot/1", &serde_json::json!({"track": "Naima"})).schema_version("1").commit()?;
    /// old.close()?;
    ///
    /// let step = Migration::new(Some("1"), "2", |mut state| {
    ///     let tracks = state.get_mut("tracks").ok_or("there are no tracks")?.take();
    ///     Ok::<_, String>(serde_json::json!({"queue": tracks}))
    /// });
    /// let new = Options::default().migrations(Migrations::new(vec![step])?).open(&path)?;
    /// let rehearsal = new.rehearse(None)?;
    /// assert_eq!((rehearsal.migrated, rehearsal.failed.len()), (1, 1));
    /// assert_eq!(
    ///     rehearsal.failed[0].message,
    ///     "the migration from schema version 1 to 2 failed: there are no tracks"
    /// );
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `InvalidInput` where this program has no migrations, or none for `session`; `NotFound` where there is no such
    /// session; `Storage` or `Locked` where the store cannot be read at all; another kind where a step fails with that.
    /// Otherwise, what would fail is no error here: it is in the report.
    pub fn rehearse(&self, session: Option<&str>) -> Result<Rehearsal> {
        self.rehearse_with(session, &mut |_| {})
    }

    /// As [`rehearse`](Engine::rehearse); `progress` hears of each session's name when it is done.
    ///
    /// # Errors
    /// As [`rehearse`](Engine::rehearse).
    pub fn rehearse_with(
        &self,
        session: Option<&str>,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Rehearsal> {
        if session.is_none() {
            self.allow(Action::Read, None)?;
        }
        let none = match session {
            Some(name) if self.migrations().of(name).is_none() => Some(format!(" for '{name}'")),
            None if self.migrations().is_empty() => Some(String::new()),
            _ => None,
        };
        if let Some(of) = none {
            let message = format!("there are no migrations{of}: register some, then rehearse them");
            return Err(Error::invalid(message));
        }
        let view = self.view()?;
        let store = &self.store().info().id;
        let mut found = Rehearsal::default();
        let (sessions, only) = match session {
            Some(name) => {
                let row = show::known_session(&*view, store, name)?;
                let only = Some(row.id);
                (vec![row], only)
            }
            None => (sessions(&*view, &mut found)?, None),
        };
        let mut stored = Stored::read(&*view, only, &mut found)?;
        for row in sessions {
            let rows = stored.sessions.remove(&row.id).unwrap_or_default();
            let Some(migrating) = self.migrations().of(&row.name) else {
                found.others += 1;
                continue;
            };
            found.sessions += 1;
            if !row.is_intact(store) {
                let message = "the row of the session is damaged: its checksum differs".to_owned();
                damage::report(&mut found.damage, Some(&row.name), Vec::new(), message);
            }
            Walk {
                view: &*view,
                store,
                session: &row,
                migrating,
                chain: Chain::default(),
                done: HashMap::new(),
                found: &mut found,
            }
            .all(rows)?;
            progress(&row.name);
        }
        for seq in stored.sessions.into_values().flat_map(BTreeMap::into_keys) {
            let id = SnapshotId::new(seq, store);
            let message = "the row of its session is missing".to_owned();
            damage::report(&mut found.damage, None, vec![id], message);
        }
        Ok(found)
    }
}

fn sessions(view: &dyn View, found: &mut Rehearsal) -> Result<Vec<SessionRow>> {
    let mut sessions = Vec::new();
    let read = view.sessions(&mut |row| {
        sessions.push(row);
        Flow::Continue(())
    });
    damage::unless_damaged(&mut found.damage, read)?;
    Ok(sessions)
}

/// The snapshots of sessions, in commit order, each with its row in the trash if it is there.
#[derive(Default)]
struct Stored {
    sessions: HashMap<i64, BTreeMap<i64, Option<TrashRow>>>,
}

impl Stored {
    /// Those of one session, or of all: then by a look at every row, so that none is passed over because the way to it is
    /// lost.
    fn read(view: &dyn View, only: Option<i64>, found: &mut Rehearsal) -> Result<Self> {
        let mut stored = Self::default();
        let scan = Scan {
            session: only,
            ..Scan::default()
        };
        let read = view.snapshots(&scan, &mut |row| {
            let of = stored.sessions.entry(row.session).or_default();
            of.insert(row.seq, None);
            Flow::Continue(())
        });
        damage::unless_damaged(&mut found.damage, read)?;
        let read = view.trash(&mut |row| {
            let session = row.snapshot.session;
            if only.is_none_or(|only| only == session) {
                let of = stored.sessions.entry(session).or_default();
                of.insert(row.snapshot.seq, Some(row));
            }
            Flow::Continue(())
        });
        damage::unless_damaged(&mut found.damage, read)?;
        Ok(stored)
    }
}

/// A walk along one session, oldest first, so that each record is applied once.
struct Walk<'a> {
    view: &'a dyn View,
    store: &'a StoreId,
    session: &'a SessionRow,
    migrating: &'a Migrating,
    chain: Chain,
    /// What came of the states, by their records and versions: several snapshots may have one.
    done: HashMap<(i64, Option<String>), Result<Came>>,
    found: &'a mut Rehearsal,
}

/// What came of a state that could be built.
#[derive(Clone)]
enum Came {
    Current,
    Migrated,
    /// The step from and to these versions failed, and said this.
    Failed(Option<String>, String, String),
    Unknown(String),
}

impl Walk<'_> {
    fn all(&mut self, rows: BTreeMap<i64, Option<TrashRow>>) -> Result<()> {
        for (seq, trashed) in rows {
            self.found.snapshots += 1;
            if let Err(error) = self.one(seq, trashed.as_ref()) {
                let error = only_damage(error)?;
                let id = SnapshotId::new(seq, self.store);
                let session = Some(self.session.name.as_str());
                damage::report(&mut self.found.damage, session, vec![id], error.to_string());
            }
        }
        Ok(())
    }

    fn one(&mut self, seq: i64, trashed: Option<&TrashRow>) -> Result<()> {
        let (row, snapshot) = self.row(seq, trashed)?;
        let version = snapshot.schema_version.clone();
        let key = (row.state_seq(), version.clone());
        let came = if let Some(came) = self.done.get(&key) {
            came.clone()
        } else {
            let came = self.state(&row, version.as_deref());
            self.done.insert(key, came.clone());
            came
        };
        let not_migrated = |from, to, message| NotMigrated {
            id: snapshot.id,
            session: snapshot.session,
            schema_version: snapshot.schema_version,
            from,
            to,
            deleted: trashed.is_some(),
            message,
        };
        let found = &mut *self.found;
        match came? {
            Came::Current => found.current += 1,
            Came::Migrated => {
                found.migrated += 1;
                if let Way::Steps(steps) = self.migrating.way(version.as_deref()) {
                    steps.into_iter().for_each(|it| count(&mut found.steps, it));
                }
            }
            Came::Failed(from, to, message) => {
                found.failed.push(not_migrated(from, Some(to), message));
            }
            Came::Unknown(message) => found.unknown.push(not_migrated(None, None, message)),
        }
        Ok(())
    }

    /// The row of a snapshot, and what it says.
    fn row(&self, seq: i64, trashed: Option<&TrashRow>) -> Result<(SnapshotRow, Snapshot)> {
        let name = &self.session.name;
        if let Some(trashed) = trashed {
            let shown = delete::shown(trashed, name, self.store)?;
            return Ok((trashed.snapshot.clone().summed(self.store), shown.snapshot));
        }
        let row = self.view.snapshot(seq)?;
        let row =
            row.ok_or_else(|| Error::damaged("an index leads to a snapshot that is not there"))?;
        let snapshot = describe(&row, name, self.store)?;
        Ok((row, snapshot))
    }

    /// Builds and proves a state, and runs the steps on it.
    fn state(&mut self, row: &SnapshotRow, version: Option<&str>) -> Result<Came> {
        let promised = detail::decode(&row.detail)?.checksum;
        let state = self
            .chain
            .advance(self.view, self.store, self.session.id, row.state_seq());
        let text = state.and_then(|state| chain::proved_text(&state.document()?, row, promised));
        let mut text = text.inspect_err(|_| self.chain.forget())?;
        let steps = match self.migrating.way(version) {
            Way::Current => return Ok(Came::Current),
            Way::Unknown => return Ok(Came::Unknown(self.migrating.unknown(version).to_string())),
            Way::Steps(steps) => steps,
        };
        for step in steps {
            text = match step.run(&text) {
                Ok(after) => after,
                // Not for the state's fault.
                Err(error) if error.kind() != ErrorKind::InvalidInput => return Err(error),
                Err(error) => {
                    let (from, to) = (step.from.clone(), step.to.clone());
                    return Ok(Came::Failed(from, to, error.to_string()));
                }
            };
        }
        Ok(Came::Migrated)
    }
}

/// Counts one more snapshot for a step.
fn count(counted: &mut Vec<RehearsedStep>, step: &Migration) {
    let same = |other: &&mut RehearsedStep| {
        (&other.sessions, &other.from, &other.to) == (&step.sessions, &step.from, &step.to)
    };
    match counted.iter_mut().find(same) {
        Some(known) => known.snapshots += 1,
        None => counted.push(RehearsedStep {
            sessions: step.sessions.clone(),
            from: step.from.clone(),
            to: step.to.clone(),
            snapshots: 1,
        }),
    }
}
