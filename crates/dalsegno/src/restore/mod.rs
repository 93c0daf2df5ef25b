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

use serde::de::DeserializeOwned;

use crate::chain;
use crate::codec::detail;
use crate::document::component::{self, WHOLE};
use crate::engine::Engine;
use crate::error::{Error, Result};
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
        Restored::read(&*view, &self.store().info().id, &row, snapshot)
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
        Ok(Self { snapshot, text })
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

    /// The state as a value of the program.
    ///
    /// # Errors
    /// `InvalidInput` where the state does not have the shape of `T`; the message says where.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.text).map_err(|e| {
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
        Ok(self
            .parts()?
            .into_iter()
            .map(|component| component.name)
            .collect())
    }

    /// The saved bytes of one component's value.
    ///
    /// # Errors
    /// `NotFound` where there is none of that name; the message has those there are.
    pub fn component(&self, name: &str) -> Result<&[u8]> {
        let parts = self.parts()?;
        match component::find(&parts, name) {
            Some(found) => Ok(self.text.get(found.value.clone()).unwrap_or_default()),
            None if name == WHOLE && parts.is_empty() => Ok(&self.text),
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

    fn parts(&self) -> Result<Vec<component::Component>> {
        component::components(&self.text)
            .map_err(|e| Error::damaged("the stored state is no JSON").with_source(e))
    }
}
