//! Restoring: reading a state and proving it, and putting it back.

mod destination;
mod failed;
mod plan;
mod put;
mod transact;

pub use destination::Destination;
pub use plan::{Change, ComponentChange, Plan, Target};
pub use put::{Report, Restore};
pub(crate) use put::{Source, pass_over};

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use crate::chain;
use crate::codec::detail;
use crate::document::component::{self, WHOLE};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::migration::Migrations;
use crate::model::{Snapshot, StoreId, Verb};
use crate::show;
use crate::store::{SnapshotRow, View};

impl Engine {
    /// Reads the state of a snapshot and proves that it is the one that was saved.
    ///
    /// # Errors
    /// As [`info`](Engine::info), and `Damaged` where the state cannot be proved.
    pub fn restore(&self, reference: &str) -> Result<Restored> {
        let view = self.view()?;
        let row = self.resolve(&*view, reference)?;
        let snapshot = self.describe(&*view, &row)?;
        let restored = Restored::read(&*view, &self.store().info().id, &row, snapshot)?;
        Ok(Restored {
            migrations: self.migrations().clone(),
            ..restored
        })
    }

    /// The sequence number of the session's newest snapshot, and its latest state, if that can be proved.
    pub(crate) fn newest(&self, session: &str) -> Result<(i64, Result<Restored>)> {
        let view = self.view()?;
        let row = show::known_session(&*view, &self.store().info().id, session)?;
        drop(view);
        Ok((row.head, self.restore(&format!("{session}@latest"))))
    }

    /// Prepares to put a snapshot's state back: into a file, or as the newest state of its session.
    pub fn put_back(&self, reference: &str) -> Restore<'_> {
        Restore::new(self, Verb::Restore, Source::Reference(reference.to_owned()))
    }
}

/// A snapshot's state, proved to be what was saved.
#[derive(Debug, Clone)]
pub struct Restored {
    snapshot: Snapshot,
    text: Vec<u8>,
    /// Those of the program, where it reads the state for itself.
    migrations: Migrations,
}

impl Restored {
    pub(crate) fn read(
        view: &dyn View,
        store: &StoreId,
        row: &SnapshotRow,
        snapshot: Snapshot,
    ) -> Result<Self> {
        let state = chain::assemble(view, store, row.session, row.state_seq());
        let promised = detail::decode(&row.detail)?.checksum;
        let text = state.and_then(|state| chain::proved_text(&state.document, row, promised));
        let context = || {
            format!(
                "snapshot {} of {} cannot be restored",
                snapshot.id, snapshot.session
            )
        };
        let text = text.map_err(|e| e.context(context()))?;
        Ok(Self {
            snapshot,
            text,
            migrations: Migrations::default(),
        })
    }

    /// The snapshot it is the state of.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The saved bytes.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The saved bytes, owned.
    #[must_use]
    pub fn into_text(self) -> Vec<u8> {
        self.text
    }

    /// The state in its current shape: the saved bytes where they have it, or where the program has no
    /// [migrations](crate::Options::migrations) for the session; otherwise what these make of them.
    ///
    /// # Errors
    /// `InvalidInput` where a step fails, or none starts from the snapshot's schema version: it may be a newer
    /// program's. The message names the snapshot and the step. [`text`](Restored::text) can be had all the same.
    pub fn current(&self) -> Result<Cow<'_, [u8]>> {
        let Snapshot {
            id,
            session,
            schema_version,
            ..
        } = &self.snapshot;
        let current = self
            .migrations
            .current(session, schema_version.as_deref(), &self.text);
        let context = || format!("snapshot {id} of {session} cannot be had in its current shape");
        let current = current.map_err(|e| e.context(context()))?;
        Ok(current.map_or(Cow::Borrowed(&self.text), Cow::Owned))
    }

    /// The state as a value of the program, in its [current](Restored::current) shape.
    ///
    /// ```
    /// use dalsegno::{Engine, Migration, Migrations, Options};
    ///
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("store.db");
    /// let old = Engine::create(&path)?;
    /// old.save_json("bot/1", r#"{"volume": "75"}"#).schema_version("1").commit()?;
    /// old.close()?;
    ///
    /// let to_number = Migration::new(Some("1"), "2", |mut state| {
    ///     let volume: u8 = state["volume"].as_str().ok_or("the volume is no text")?.parse()?;
    ///     state["volume"] = volume.into();
    ///     Ok::<_, Box<dyn std::error::Error + Send + Sync>>(state)
    /// });
    /// let new = Options::default().migrations(Migrations::new(vec![to_number])?).open(&path)?;
    /// let restored = new.restore("bot/1@latest")?;
    /// let state: serde_json::Value = restored.to()?;
    /// assert_eq!(state["volume"], 75);
    /// assert_eq!(restored.text(), br#"{"volume": "75"}"#);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`current`](Restored::current); `InvalidInput` where the state does not have the shape of `T`; the message
    /// says where.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.current()?).map_err(|e| {
            let id = self.snapshot.id;
            let message = format!("snapshot {id} does not have the shape asked for: {e}");
            Error::invalid(message).with_source(e)
        })
    }

    /// The names of the components, in the order of the text: the members of the top-level object, or
    /// `document` where the state is no object.
    ///
    /// # Errors
    /// `Damaged` where the state is no JSON, which no save lets in.
    pub fn components(&self) -> Result<Vec<String>> {
        Ok(parts(&self.text)?
            .into_iter()
            .map(|component| component.name)
            .collect())
    }

    /// The saved bytes of one component's value.
    ///
    /// # Errors
    /// `NotFound` where there is none of that name; the message has those there are.
    pub fn component(&self, name: &str) -> Result<&[u8]> {
        self.component_of(&self.text, name)
    }

    /// The bytes of one component's value, of the state in its [current](Restored::current) shape.
    ///
    /// # Errors
    /// As [`current`](Restored::current) and [`component`](Restored::component).
    pub fn current_component(&self, name: &str) -> Result<Cow<'_, [u8]>> {
        Ok(match self.current()? {
            Cow::Borrowed(text) => Cow::Borrowed(self.component_of(text, name)?),
            Cow::Owned(text) => Cow::Owned(self.component_of(&text, name)?.to_vec()),
        })
    }

    fn component_of<'a>(&self, text: &'a [u8], name: &str) -> Result<&'a [u8]> {
        let parts = parts(text)?;
        match component::find(&parts, name) {
            Some(found) => Ok(text.get(found.value.clone()).unwrap_or_default()),
            None if name == WHOLE && parts.is_empty() => Ok(text),
            None => {
                let all: Vec<_> = parts.iter().map(|part| part.name.as_str()).collect();
                Err(Error::not_found(format!(
                    "snapshot {} has no component '{name}'; it has {}",
                    self.snapshot.id,
                    all.join(", ")
                )))
            }
        }
    }
}

fn parts(text: &[u8]) -> Result<Vec<component::Component>> {
    component::components(text)
        .map_err(|e| Error::damaged("the stored state is no JSON").with_source(e))
}
