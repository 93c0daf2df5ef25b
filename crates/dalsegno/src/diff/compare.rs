//! Two texts, compared by what they mean: from the components down to where they part.

use std::collections::HashMap;

use super::change::{ComponentDiff, Difference, DifferenceKind};
use super::level::{Level, compact, string};
use super::path::Path;
use super::{describe, identity, list};
use crate::document::component::WHOLE;
use crate::error::Result;
use crate::restore::Change;

/// Below so many levels a value that differs is reported as a whole, or a hostile document would
/// overflow the stack.
pub(super) const DEEP: usize = 64;

/// The components of two texts that differ.
pub(super) fn texts(old: &[u8], new: &[u8]) -> Result<Vec<ComponentDiff>> {
    let mut found = Vec::new();
    let (old, new) = (old.trim_ascii(), new.trim_ascii());
    let (was, is) = (components(old)?, components(new)?);
    let (before, after) = (by_name(&was.members), by_name(&is.members));
    for (name, value) in &is.members {
        let differs = match before.get(name.as_str()) {
            Some(was) if was == value => continue,
            Some(was) => {
                let mut differences = Vec::new();
                values(&is.path(name), was, value, &mut differences)?;
                ComponentDiff::new(name.clone(), Change::Changed, differences)
            }
            None => {
                let whole = added(&is.path(name), value);
                ComponentDiff::new(name.clone(), Change::Added, vec![whole])
            }
        };
        found.push(differs);
    }
    for (name, value) in &was.members {
        if !after.contains_key(name.as_str()) {
            let whole = removed(&was.path(name), value);
            found.push(ComponentDiff::new(
                name.clone(),
                Change::Removed,
                vec![whole],
            ));
        }
    }
    Ok(found)
}

/// The components of a text.
struct Components<'a> {
    object: bool,
    members: Vec<(String, &'a [u8])>,
}

fn components(text: &[u8]) -> Result<Components<'_>> {
    Ok(match Level::of(text)? {
        Level::Object(members) => Components {
            object: true,
            members,
        },
        _ => Components {
            object: false,
            members: vec![(WHOLE.to_owned(), text)],
        },
    })
}

impl Components<'_> {
    /// The path of a component's value: that of a whole document is empty.
    fn path(&self, name: &str) -> Path {
        if self.object {
            Path::default().member(name)
        } else {
            Path::default()
        }
    }
}

fn by_name<'a, 'b>(members: &'b [(String, &'a [u8])]) -> HashMap<&'b str, &'a [u8]> {
    members.iter().map(|(n, v)| (n.as_str(), *v)).collect()
}

/// What differs between two values at `path`; nothing where only their spelling does.
pub(super) fn values(
    path: &Path,
    old: &[u8],
    new: &[u8],
    found: &mut Vec<Difference>,
) -> Result<()> {
    if old == new {
        return Ok(());
    }
    let (before, after) = (Level::of(old)?, Level::of(new)?);
    match (&before, &after) {
        (Level::Object(was), Level::Object(is))
            if path.depth < DEEP && !identity::are_two(&before, &after) =>
        {
            objects(path, was, is, found)
        }
        (Level::List(was), Level::List(is)) if path.depth < DEEP => {
            list::compare(path, 0, was, is, found)
        }
        _ => {
            if compact(old) != compact(new) && (string(old).is_none() || string(old) != string(new))
            {
                found.push(changed(path, old, new));
            }
            Ok(())
        }
    }
}

fn objects(
    path: &Path,
    was: &[(String, &[u8])],
    is: &[(String, &[u8])],
    found: &mut Vec<Difference>,
) -> Result<()> {
    let before = by_name(was);
    for (name, value) in is {
        match before.get(name.as_str()) {
            Some(was) if was == value => {}
            Some(was) => values(&path.member(name), was, value, found)?,
            None => found.push(added(&path.member(name), value)),
        }
    }
    let after = by_name(is);
    let gone = was
        .iter()
        .filter(|(name, _)| !after.contains_key(name.as_str()));
    found.extend(gone.map(|(name, value)| removed(&path.member(name), value)));
    Ok(())
}

pub(super) fn difference(kind: DifferenceKind, path: &Path) -> Difference {
    Difference {
        kind,
        path: path.text(),
        old_index: None,
        new_index: None,
        moved: false,
        label: None,
        before: None,
        after: None,
        inside: Vec::new(),
    }
}

pub(super) fn added(path: &Path, value: &[u8]) -> Difference {
    Difference {
        label: container(value),
        after: Some(compact(value)),
        ..difference(DifferenceKind::Added, path)
    }
}

pub(super) fn removed(path: &Path, value: &[u8]) -> Difference {
    Difference {
        label: container(value),
        before: Some(compact(value)),
        ..difference(DifferenceKind::Removed, path)
    }
}

pub(super) fn changed(path: &Path, old: &[u8], new: &[u8]) -> Difference {
    Difference {
        before: Some(compact(old)),
        after: Some(compact(new)),
        ..difference(DifferenceKind::Changed, path)
    }
}

/// A member that is a track or a message is labelled like an item; a plain value speaks for itself.
fn container(value: &[u8]) -> Option<String> {
    (value.first() == Some(&b'{')).then(|| describe::label(value))
}
