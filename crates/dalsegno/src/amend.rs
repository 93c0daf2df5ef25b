//! Changing what is said of a snapshot: its name, its tags, its pin, what describes it. The state stays as it is.

use serde_json::{Map, Value};

use crate::attempt::until_done;
use crate::codec::detail::{self, Detail};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{Action, Snapshot, check_snapshot_name};
use crate::save::check_detail;
use crate::store::{Exchange, PINNED, Row, Rows, SnapshotRow};

/// A change to what is said of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Amendment {
    /// It has this name, or none.
    Name(Option<String>),
    /// It has these tags too; those it has stay.
    Tag(Vec<String>),
    /// It has these tags no more; those it does not have are passed over.
    Untag(Vec<String>),
    /// Nothing deletes it, or things may again.
    Pin(bool),
    /// It has this label, or none.
    Label(Option<String>),
    /// It has this description, or none.
    Description(Option<String>),
    /// It has this free metadata, and no other.
    Metadata(Map<String, Value>),
}

impl Amendment {
    /// What it changes.
    fn word(&self) -> &'static str {
        match self {
            Self::Name(_) => "name",
            Self::Tag(_) => "tag",
            Self::Untag(_) => "untag",
            Self::Pin(true) => "pin",
            Self::Pin(false) => "unpin",
            Self::Label(_) => "label",
            Self::Description(_) => "description",
            Self::Metadata(_) => "metadata",
        }
    }

    fn apply(&self, row: &mut SnapshotRow, detail: &mut Detail) {
        match self {
            Self::Name(name) => row.name.clone_from(name),
            Self::Tag(tags) => {
                for tag in tags {
                    if !detail.tags.contains(tag) {
                        detail.tags.push(tag.clone());
                    }
                }
            }
            Self::Untag(tags) => detail.tags.retain(|tag| !tags.contains(tag)),
            Self::Pin(true) => row.flags |= PINNED,
            Self::Pin(false) => row.flags &= !PINNED,
            Self::Label(text) => detail.label.clone_from(text),
            Self::Description(text) => detail.description.clone_from(text),
            Self::Metadata(members) => detail.metadata.clone_from(members),
        }
    }
}

impl Engine {
    /// Gives a snapshot another name, or takes its name away.
    ///
    /// # Errors
    /// As [`amend`](Engine::amend).
    pub fn rename(&self, reference: &str, name: Option<&str>) -> Result<Snapshot> {
        self.amend(reference, &Amendment::Name(name.map(str::to_owned)))
    }

    /// Adds tags to a snapshot; those it has stay.
    ///
    /// # Errors
    /// As [`amend`](Engine::amend).
    pub fn tag(&self, reference: &str, tags: &[&str]) -> Result<Snapshot> {
        self.amend(reference, &Amendment::Tag(owned(tags)))
    }

    /// Takes tags away from a snapshot; those it does not have are passed over.
    ///
    /// # Errors
    /// As [`amend`](Engine::amend).
    pub fn untag(&self, reference: &str, tags: &[&str]) -> Result<Snapshot> {
        self.amend(reference, &Amendment::Untag(owned(tags)))
    }

    /// Pins a snapshot, so that nothing deletes it, or unpins it.
    ///
    /// # Errors
    /// As [`amend`](Engine::amend).
    pub fn pin(&self, reference: &str, pinned: bool) -> Result<Snapshot> {
        self.amend(reference, &Amendment::Pin(pinned))
    }

    /// Changes what is said of a snapshot, and gives it as it is then.
    ///
    /// # Errors
    /// As [`info`](Engine::info); `InvalidInput` where a name, a tag or another text cannot be; `Conflict` where
    /// another snapshot of the session has the name, or other programs kept changing this one.
    pub fn amend(&self, reference: &str, amendment: &Amendment) -> Result<Snapshot> {
        until_done(&format!("'{reference}'"), || {
            let (row, new, amended) = self.amended(reference, amendment)?;
            if new == row {
                return Ok(Some(amended));
            }
            let of = |row| Rows {
                snapshots: vec![row],
                ..Rows::default()
            };
            self.allow(Action::Amend, Some(&amended.session))?;
            let said = self.said(Action::Amend).of(row.session, [row.seq]);
            let exchange = Exchange::of(of(row), of(new)).say(said.note(amendment.word()));
            Ok(self.store().exchange(&exchange)?.then_some(amended))
        })
    }

    /// What [`amend`](Engine::amend) would make of a snapshot. Nothing is changed.
    ///
    /// # Errors
    /// As [`amend`](Engine::amend).
    pub fn amend_plan(&self, reference: &str, amendment: &Amendment) -> Result<Snapshot> {
        self.amended(reference, amendment)
            .map(|(.., amended)| amended)
    }

    /// The snapshot's row as it is and as it would be, and what is then said of it.
    fn amended(
        &self,
        reference: &str,
        amendment: &Amendment,
    ) -> Result<(SnapshotRow, SnapshotRow, Snapshot)> {
        if let Amendment::Name(Some(name)) = amendment {
            check_snapshot_name(name)?;
        }
        let view = self.view()?;
        let row = self.resolve(&*view, reference)?;
        let mut detail = detail::decode(&row.detail)?;
        let mut new = row.clone();
        amendment.apply(&mut new, &mut detail);
        check_detail(&detail)?;
        new.detail = detail::encode(&detail)?;
        let new = new.summed(&self.store().info().id);
        if let Some(name) = new.name.as_ref().filter(|_| new.name != row.name) {
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
        Ok((row, new, amended))
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
