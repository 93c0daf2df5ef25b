//! Changing what is said of a snapshot: its name, its tags, its pin. The state stays as it is.

use crate::codec::detail::{self, Detail};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{Snapshot, check_snapshot_name};
use crate::save::check_detail;
use crate::store::{Exchange, PINNED, Rows, SnapshotRow};

/// How often a change is tried again because other programs were first.
const TRIES: usize = 16;

impl Engine {
    /// Gives a snapshot another name, or takes its name away.
    ///
    /// # Errors
    /// As [`info`](Engine::info); `InvalidInput` where the name cannot be; `Conflict` where another
    /// snapshot of the session has it.
    pub fn rename(&self, reference: &str, name: Option<&str>) -> Result<Snapshot> {
        if let Some(name) = name {
            check_snapshot_name(name)?;
        }
        self.amend(reference, &|row, _| {
            row.name = name.map(str::to_owned);
        })
    }

    /// Adds tags to a snapshot; those it has stay.
    ///
    /// # Errors
    /// As [`info`](Engine::info); `InvalidInput` where a tag cannot be.
    pub fn tag(&self, reference: &str, tags: &[&str]) -> Result<Snapshot> {
        self.amend(reference, &|_, detail| {
            for tag in tags {
                if !detail.tags.iter().any(|there| there == tag) {
                    detail.tags.push((*tag).to_owned());
                }
            }
        })
    }

    /// Takes tags away from a snapshot; those it does not have are passed over.
    ///
    /// # Errors
    /// As [`info`](Engine::info).
    pub fn untag(&self, reference: &str, tags: &[&str]) -> Result<Snapshot> {
        self.amend(reference, &|_, detail| {
            detail.tags.retain(|tag| !tags.contains(&tag.as_str()));
        })
    }

    /// Pins a snapshot, so that nothing deletes it, or unpins it.
    ///
    /// # Errors
    /// As [`info`](Engine::info).
    pub fn pin(&self, reference: &str, pinned: bool) -> Result<Snapshot> {
        self.amend(reference, &|row, _| {
            row.flags = row.flags & !PINNED | if pinned { PINNED } else { 0 };
        })
    }

    fn amend(
        &self,
        reference: &str,
        edit: &dyn Fn(&mut SnapshotRow, &mut Detail),
    ) -> Result<Snapshot> {
        let store = self.store();
        let id = &store.info().id;
        for _ in 0..TRIES {
            let view = self.view()?;
            let row = self.resolve(&*view, reference)?;
            let mut detail = detail::decode(&row.detail)?;
            let mut new = row.clone();
            edit(&mut new, &mut detail);
            check_detail(&detail)?;
            new.detail = detail::encode(&detail)?;
            let new = new.sealed(id);
            if new == row {
                return self.describe(&*view, &row);
            }
            if let Some(name) = new
                .name
                .as_ref()
                .filter(|name| row.name.as_ref() != Some(*name))
            {
                for seq in view.named(name)? {
                    let other = view.snapshot(seq)?;
                    if other.is_some_and(|other| other.session == row.session) {
                        return Err(Error::conflict(format!(
                            "the session has a snapshot named '{name}' already; choose another name"
                        )));
                    }
                }
            }
            let amended = self.describe(&*view, &new)?;
            drop(view);
            let of = |row| Rows {
                snapshots: vec![row],
                ..Rows::default()
            };
            let exchange = Exchange {
                take: of(row),
                put: of(new),
            };
            if store.exchange(&exchange)? {
                return Ok(amended);
            }
        }
        Err(Error::conflict(format!(
            "other programs changed '{reference}' {TRIES} times in between; try again"
        )))
    }
}
