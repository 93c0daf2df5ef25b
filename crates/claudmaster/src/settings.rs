//! How a rollback manager goes about it, and where it keeps its snapshots.

use std::sync::Arc;

use dalsegno::Engine;
use dalsegno::clock::{Clock, SystemClock};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::check::Check;
use crate::error::{Result, RollbackError};
use crate::keep::{Clones, Stored, Texts};
use crate::manager::{DurableRollbackManager, RollbackManager, SharedRollbackManager};

/// How many snapshots are listed unless told otherwise.
const MAX_SNAPSHOTS: usize = 10;

/// How a rollback manager is made.
///
/// ```
/// use dalsegno_claudmaster::{Check, Settings};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Game { turn_count: i64, hit_points: i32 }
///
/// # fn main() -> dalsegno_claudmaster::Result<()> {
/// let mut manager = Settings::new(|game: &Game| game.turn_count)
///     .every(1)
///     .check(Check::new(|game: &Game| match game.hit_points {
///         0.. => Ok(()),
///         points => Err(format!("{points} hit points")),
///     }))
///     .serialised(Game { turn_count: 0, hit_points: 20 });
///
/// manager.session.turn_count = 1;
/// assert!(manager.turn_done()?.snapshot.is_some());
///
/// manager.session = Game { turn_count: 2, hit_points: -7 };
/// let turn = manager.turn_done()?;
/// println!("{}", turn.guarded); // says what was wrong, and which snapshot the game went back to
/// assert_eq!(manager.session.hit_points, 20);
/// # Ok(())
/// # }
/// ```
pub struct Settings<S> {
    pub(crate) turn: fn(&S) -> i64,
    pub(crate) max_snapshots: usize,
    pub(crate) every: u32,
    pub(crate) check: Option<Check<S>>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl<S> Settings<S> {
    /// Ten snapshots, none taken by itself, no check; `turn` tells the session's turn.
    pub fn new(turn: fn(&S) -> i64) -> Self {
        Self {
            turn,
            max_snapshots: MAX_SNAPSHOTS,
            every: 0,
            check: None,
            clock: Arc::new(SystemClock),
        }
    }

    /// How many snapshots are kept, the oldest going first; 0 keeps none. In a store this is how many are
    /// listed.
    #[must_use]
    pub fn max_snapshots(mut self, max: usize) -> Self {
        self.max_snapshots = max;
        self
    }

    /// After how many turns [`turn_done`](RollbackManager::turn_done) takes a snapshot by itself; 0 is never.
    #[must_use]
    pub fn every(mut self, turns: u32) -> Self {
        self.every = turns;
        self
    }

    /// What tells a sound state from a broken one, for [`guard`](RollbackManager::guard) and
    /// [`turn_done`](RollbackManager::turn_done).
    #[must_use]
    pub fn check(mut self, check: Check<S>) -> Self {
        self.check = Some(check);
        self
    }

    /// Where the time and the ids of snapshots come from that no store gives.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// A manager whose snapshots are JSON in memory: of any session that serde can write and read.
    pub fn serialised(self, session: S) -> RollbackManager<S>
    where
        S: Serialize + DeserializeOwned,
    {
        RollbackManager::make(self, session, Texts::default(), Vec::new())
    }

    /// A manager whose snapshots are clones: of a session of shared structures, at any length in the same
    /// time. See [`Clones`] for what a clone must be.
    ///
    /// ```
    /// use dalsegno::List;
    /// use dalsegno_claudmaster::Settings;
    ///
    /// #[derive(Clone)]
    /// struct Game { turn_count: i64, history: List<String> }
    ///
    /// # fn main() -> dalsegno_claudmaster::Result<()> {
    /// let game = Game { turn_count: 0, history: List::new() };
    /// let mut manager = Settings::new(|game: &Game| game.turn_count).shared(game);
    /// manager.create_snapshot("before the cellar")?;
    /// manager.session.history.push_back("A door creaks.".to_owned());
    /// manager.rollback_last()?;
    /// assert!(manager.session.history.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn shared(self, session: S) -> SharedRollbackManager<S>
    where
        S: Clone,
    {
        RollbackManager::make(self, session, Clones, Vec::new())
    }

    /// A manager whose snapshots are in a store, under the name `name`: a snapshot is acknowledged when it is
    /// committed, and those of earlier processes are listed at once. What the list drops at its limit stays
    /// in the store, whose retention rules decide; a rollback is logged there.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// use dalsegno::Engine;
    /// use dalsegno_claudmaster::Settings;
    /// use serde_json::{Value, json};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("store.db");
    /// let turn = |game: &Value| game["turn_count"].as_i64().unwrap_or(0);
    /// let engine = Arc::new(Engine::create(&path)?);
    /// let game = json!({ "turn_count": 7 });
    /// Settings::new(turn).durable(engine, "game/cellar", game)?.create_snapshot("evening")?;
    ///
    /// // Another day, another process.
    /// let engine = Arc::new(Engine::open(&path)?);
    /// let mut manager = Settings::new(turn).durable(engine, "game/cellar", Value::Null)?;
    /// let last = manager.snapshots().last().map(|snapshot| snapshot.snapshot_id);
    /// manager.session = manager.state_of(last.ok_or("no evening")?)?;
    /// assert_eq!(manager.session, json!({ "turn_count": 7 }));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`NotOpened`](RollbackError::NotOpened) where the name cannot be one or the store cannot be read.
    pub fn durable(
        self,
        engine: Arc<Engine>,
        name: &str,
        session: S,
    ) -> Result<DurableRollbackManager<S>>
    where
        S: Serialize + DeserializeOwned,
    {
        let stored = Stored::new(engine, name).map_err(RollbackError::NotOpened)?;
        let known = stored.newest(self.max_snapshots);
        let known = known.map_err(RollbackError::NotOpened)?;
        let known = known.into_iter().map(|snapshot| (snapshot, ()));
        Ok(RollbackManager::make(
            self,
            session,
            stored,
            known.collect(),
        ))
    }
}
