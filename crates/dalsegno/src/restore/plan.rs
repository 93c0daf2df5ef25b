//! What a restore would change, before it changes anything.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use crate::codec::deed;
use crate::document::component::{self, Component};
use crate::model::{Snapshot, Verb};

/// Where a state is put back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase", tag = "kind", content = "path")]
pub enum Target {
    /// It becomes the session's newest stored state; no running program is told.
    Head,
    /// A file.
    File(PathBuf),
    /// Something that the program reads and writes itself, by the name it gave: see
    /// [`Destination`](crate::Destination).
    Other(String),
}

impl Target {
    pub(crate) fn to_wire(&self) -> deed::Target {
        match self {
            Self::Head => deed::Target::Head,
            Self::File(path) => deed::Target::File(path.to_string_lossy().into_owned()),
            Self::Other(name) => deed::Target::Other(name.clone()),
        }
    }

    pub(crate) fn of_wire(target: &deed::Target) -> Self {
        match target {
            deed::Target::Head => Self::Head,
            deed::Target::File(path) => Self::File(path.into()),
            deed::Target::Other(name) => Self::Other(name.clone()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("the stored head"),
            Self::File(path) => path.display().fmt(f),
            Self::Other(name) => f.write_str(name),
        }
    }
}

/// What a restore will do.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// What is asked for.
    pub verb: Verb,
    /// The session whose state is put back.
    pub session: String,
    /// The snapshot to put back. None where an undo removes what a restore made, or puts back what is
    /// kept in a file beside.
    pub snapshot: Option<Snapshot>,
    /// Where to.
    pub target: Target,
    /// Each component of the snapshot or the target, and what happens to it.
    pub components: Vec<ComponentChange>,
    /// Whether anything there will be different afterwards.
    pub changes: bool,
    /// Whether nothing will be there afterwards.
    pub removes: bool,
    /// The session's newest snapshot, where the stored head is the target.
    #[serde(skip)]
    pub(crate) head: Option<i64>,
    /// The target's text now.
    #[serde(skip)]
    pub(crate) before: Option<Vec<u8>>,
    /// The target's text afterwards; nothing where there will be nothing.
    #[serde(skip)]
    pub(crate) after: Option<Vec<u8>>,
    /// The schema version of that text, as far as it is known.
    #[serde(skip)]
    pub(crate) version: Option<String>,
    /// Whether it was migrated, so that no snapshot has it yet.
    #[serde(skip)]
    pub(crate) migrated: bool,
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
pub(crate) fn compare(before: Option<&[u8]>, after: Option<&[u8]>) -> Vec<ComponentChange> {
    let parts = |text: Option<&[u8]>| text.and_then(|text| component::components(text).ok());
    let old_parts = parts(before).unwrap_or_default();
    let new_parts = parts(after).unwrap_or_default();
    let (old, new) = (by_name(&old_parts), by_name(&new_parts));
    let old_text = before.unwrap_or_default();
    let after = after.unwrap_or_default();
    let mut changes: Vec<ComponentChange> = Vec::with_capacity(new.len());
    for part in unique(&new_parts, &new) {
        let was = old.get(part.name.as_str()).copied();
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
    for part in unique(&old_parts, &old) {
        if !new.contains_key(part.name.as_str()) {
            changes.push(ComponentChange {
                name: part.name.clone(),
                change: Change::Removed,
                before: Some(part.value.len()),
                after: None,
            });
        }
    }
    changes
}

/// Of components of one name, the one that counts: the last.
fn by_name(parts: &[Component]) -> HashMap<&str, &Component> {
    parts
        .iter()
        .map(|part| (part.name.as_str(), part))
        .collect()
}

/// Those that count, in the order of the text.
fn unique<'a>(
    parts: &'a [Component],
    by_name: &'a HashMap<&str, &Component>,
) -> impl Iterator<Item = &'a Component> {
    let counts = |part: &&Component| {
        let counting = by_name.get(part.name.as_str());
        counting.is_some_and(|counting| std::ptr::eq(*counting, *part))
    };
    parts.iter().filter(counts)
}
