//! States in a store: they outlive the process.

use std::sync::Arc;

use dalsegno::{Back, Engine, ErrorKind, Kind, Query, Result, Snapshot};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::{About, Keep, Kept, read, write};
use crate::snapshot::StateSnapshot;

/// Keeps states as snapshots of a session of an engine. What is forgotten here stays in the store: its
/// history belongs to the engine's retention.
pub struct Stored {
    engine: Arc<Engine>,
    session: String,
}

impl Stored {
    /// In this session of the engine, which need not be there yet.
    ///
    /// # Errors
    /// `InvalidInput` where the name cannot be a session's.
    pub fn new(engine: Arc<Engine>, session: &str) -> Result<Self> {
        dalsegno::check_session_name(session)?;
        Ok(Self {
            engine,
            session: session.to_owned(),
        })
    }

    /// The newest `limit` snapshots of the session that are plain saves, oldest first. Damaged ones are
    /// passed over; `verify` names them.
    ///
    /// # Errors
    /// `Damaged` or `Storage` where the store cannot be read.
    pub fn newest(&self, limit: usize) -> Result<Vec<StateSnapshot>> {
        let mut query = Query {
            kinds: vec![Kind::Manual, Kind::Auto],
            limit: limit.clamp(1, 1000),
            ..Query::session(&self.session)
        };
        let mut found = Vec::new();
        loop {
            let page = match self.engine.list(&query) {
                Err(error) if error.kind() == ErrorKind::NotFound => break,
                page => page?,
            };
            let saved = page.snapshots.iter().filter(|s| s.operation.is_none());
            found.extend(saved.map(listed));
            query.cursor = page.next;
            if query.cursor.is_none() || found.len() >= limit {
                break;
            }
        }
        found.truncate(limit);
        found.reverse();
        Ok(found)
    }

    /// Saves a state's JSON text, byte for byte; it is durable when this returns.
    ///
    /// # Errors
    /// As [`Save::commit`](dalsegno::Save::commit).
    pub fn save(&self, text: Vec<u8>, about: &About<'_>) -> Result<StateSnapshot> {
        let save = self.engine.save_json(&self.session, text);
        let saved = save
            .label(about.label)
            .turn(about.turn_count)
            .kind(about.kind)
            .commit()?;
        Ok(listed(&saved))
    }

    /// The text of a state, proved to be what was saved.
    ///
    /// # Errors
    /// As [`Engine::restore`].
    pub fn text(&self, snapshot: Uuid) -> Result<Vec<u8>> {
        let restored = self.engine.restore(&snapshot.to_string())?;
        Ok(restored.into_text())
    }

    /// Makes a state the newest in the store, or only some of its `fields` where any are named, and logs it as
    /// a rollback.
    ///
    /// # Errors
    /// As [`Engine::rollback`] and [`Restore::apply`](dalsegno::Restore::apply).
    pub fn log_rollback(&self, snapshot: Uuid, fields: &[&str]) -> Result<()> {
        let to = Back::To(snapshot.to_string());
        let mut back = self.engine.rollback(&self.session, &to)?;
        for field in fields {
            back = back.component(*field);
        }
        // The newest state in the store may be that one; the session's own has moved on.
        back.even_if_equal().apply().map(|_| ())
    }

    /// The session's name in the store.
    #[must_use]
    pub fn session(&self) -> &str {
        &self.session
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }
}

fn listed(snapshot: &Snapshot) -> StateSnapshot {
    let label = snapshot.label.as_ref().or(snapshot.name.as_ref());
    StateSnapshot {
        snapshot_id: snapshot.id.into(),
        label: label.cloned().unwrap_or_default(),
        timestamp: snapshot.created_at,
        turn_count: snapshot.turn.unwrap_or_default(),
        kind: snapshot.kind,
    }
}

impl<S: Serialize + DeserializeOwned> Keep<S> for Stored {
    type Held = ();

    fn keep(&mut self, session: &S, about: &About<'_>) -> Result<Kept<()>> {
        let mut text = Vec::new();
        write(session, &mut text)?;
        let saved = self.save(text, about)?;
        Ok(Kept {
            held: (),
            given: Some((saved.snapshot_id, saved.timestamp)),
        })
    }

    fn state(&self, snapshot: &StateSnapshot, (): &()) -> Result<S> {
        read(&self.text(snapshot.snapshot_id)?)
    }

    fn forget(&mut self, (): ()) {}

    fn roll_back(&mut self, snapshot: &StateSnapshot, fields: &[&str]) -> Result<()> {
        self.log_rollback(snapshot.snapshot_id, fields)
    }
}
