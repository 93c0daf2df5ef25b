//! What a restore would change, before it changes anything.

use std::path::PathBuf;

use crate::document::component::{self, Component};
use crate::error::Result;
use crate::model::Snapshot;

/// Where a state is put back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase", tag = "kind", content = "path")]
pub enum Target {
    /// It becomes the session's newest stored state; no running program is told.
    Head,
    /// A file.
    File(PathBuf),
}

/// What a restore will do.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The snapshot to put back.
    pub snapshot: Snapshot,
    /// Where to.
    pub target: Target,
    /// Each component of the snapshot or the target, and what happens to it.
    pub components: Vec<ComponentChange>,
    /// Whether anything there will be different afterwards.
    pub changes: bool,
    /// The session's newest snapshot, where the stored head is the target.
    #[serde(skip)]
    pub(crate) head: Option<i64>,
    /// The target's text now.
    #[serde(skip)]
    pub(crate) before: Option<Vec<u8>>,
    /// The target's text afterwards.
    #[serde(skip)]
    pub(crate) after: Vec<u8>,
}

/// What happens to a component of the target.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ComponentChange {
    /// The component.
    pub name: String,
    /// What happens to it.
    pub change: Change,
    /// Its bytes in the target now.
    pub before: Option<usize>,
    /// Its bytes afterwards.
    pub after: Option<usize>,
}

/// What happens to a component of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is as it will be already.
    Same,
    /// It will have another value.
    Changed,
    /// It is not there yet.
    Added,
    /// It will be gone.
    Removed,
}

/// What happens to each component where `before` becomes `after`. Text that is no JSON has none.
pub(super) fn compare(before: Option<&[u8]>, after: &[u8]) -> Result<Vec<ComponentChange>> {
    let parts = |text: Option<&[u8]>| text.and_then(|text| component::components(text).ok());
    let old = parts(before).unwrap_or_default();
    let new = parts(Some(after)).unwrap_or_default();
    let old_text = before.unwrap_or_default();
    let mut changes: Vec<ComponentChange> = Vec::with_capacity(new.len());
    for part in unique(&new) {
        let was = component::find(&old, &part.name);
        let same =
            was.is_some_and(|was| old_text.get(was.value.clone()) == after.get(part.value.clone()));
        changes.push(ComponentChange {
            name: part.name.clone(),
            change: match was {
                None => Change::Added,
                Some(_) if same => Change::Same,
                Some(_) => Change::Changed,
            },
            before: was.map(|was| was.value.len()),
            after: Some(part.value.len()),
        });
    }
    for part in unique(&old) {
        if component::find(&new, &part.name).is_none() {
            changes.push(ComponentChange {
                name: part.name.clone(),
                change: Change::Removed,
                before: Some(part.value.len()),
                after: None,
            });
        }
    }
    Ok(changes)
}

/// Of components of one name, the one that counts.
fn unique(parts: &[Component]) -> impl Iterator<Item = &Component> {
    parts
        .iter()
        .filter(|part| component::find(parts, &part.name) == Some(*part))
}
