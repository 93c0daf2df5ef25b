//! A state that is lost, put together from its neighbours, component by component.

use crate::codec::checksum::{self, Checksum};
use crate::document::component::{self, Component, WHOLE};
use crate::error::Result;

/// So many components that differ are tried in every combination.
const TRIED: usize = 10;

/// A mark does not name more components than this one by one.
const NAMED: usize = 256;

/// The texts of the nearest intact states.
pub(super) struct Neighbours<'a> {
    pub(super) nearer: &'a [u8],
    pub(super) other: Option<&'a [u8]>,
}

/// The state itself, where some of the components of one neighbour and the rest of the other are what was saved: its
/// checksum proves it.
pub(super) fn exact(near: &Neighbours<'_>, promised: (Checksum, i64)) -> Result<Option<Vec<u8>>> {
    let Some(other) = near.other else {
        return Ok(None);
    };
    for (onto, from) in [(near.nearer, other), (other, near.nearer)] {
        let (there, here) = (component::components(onto)?, component::components(from)?);
        if is_whole(&there) || is_whole(&here) {
            continue;
        }
        let names: Vec<String> = differing(onto, &there, from, &here);
        if names.is_empty() || names.len() > TRIED {
            continue;
        }
        for choice in 1..(1_u32 << names.len()) {
            let chosen = names.iter().enumerate();
            let chosen = chosen.filter(|(at, _)| choice & (1 << at) != 0);
            let chosen: Vec<String> = chosen.map(|(_, name)| name.clone()).collect();
            let text = component::transplant(from, onto, &chosen)?;
            if i64::try_from(text.len()) == Ok(promised.1) && checksum::of(&text) == promised.0 {
                return Ok(Some(text));
            }
        }
    }
    Ok(None)
}

/// The components of the nearer neighbour's text, and whether the other agrees on each.
pub(super) fn taken(near: &Neighbours<'_>) -> Result<Vec<(String, bool)>> {
    let there = component::components(near.nearer)?;
    let other = match near.other {
        Some(other) => Some((other, component::components(other)?)),
        None => None,
    };
    let value = |text: &'_ [u8], of: &Component| text.get(of.value.clone()).map(<[u8]>::to_vec);
    let mut taken: Vec<(String, bool)> = Vec::new();
    for component in &there {
        if taken.iter().any(|(name, _)| *name == component.name) {
            continue;
        }
        // Of two of one name, the last counts.
        let last = component::find(&there, &component.name).unwrap_or(component);
        let agreed = other.as_ref().is_some_and(|(text, others)| {
            let twin = component::find(others, &component.name);
            twin.is_some_and(|twin| value(text, twin) == value(near.nearer, last))
        });
        taken.push((component.name.clone(), agreed));
        if taken.len() > NAMED {
            let agreed = near.other == Some(near.nearer);
            return Ok(vec![(WHOLE.to_owned(), agreed)]);
        }
    }
    Ok(taken)
}

fn is_whole(components: &[Component]) -> bool {
    matches!(components, [only] if only.name == WHOLE)
}

/// The components of `from` that are otherwise in `onto`, or not there.
fn differing(onto: &[u8], there: &[Component], from: &[u8], here: &[Component]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for component in here {
        let last = component::find(here, &component.name).unwrap_or(component);
        let twin = component::find(there, &component.name);
        let same =
            twin.is_some_and(|twin| onto.get(twin.value.clone()) == from.get(last.value.clone()));
        if !same && !names.contains(&component.name) {
            names.push(component.name.clone());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near<'a>(nearer: &'a str, other: &'a str) -> Neighbours<'a> {
        Neighbours {
            nearer: nearer.as_bytes(),
            other: Some(other.as_bytes()),
        }
    }

    #[test]
    fn a_mix_of_both_that_is_what_was_saved_is_found() {
        let (before, after) = (r#"{"a":1,"b":[1],"c":0}"#, r#"{"a":2,"b":[1,2],"c":0}"#);
        let lost = r#"{"a":2,"b":[1],"c":0}"#.as_bytes();
        let promised = (checksum::of(lost), lost.len() as i64);
        let found = exact(&near(before, after), promised).unwrap();
        assert_eq!(found.as_deref(), Some(lost));
        let other = (checksum::of(b"{}"), 2);
        assert_eq!(exact(&near(before, after), other).unwrap(), None);
    }

    #[test]
    fn each_component_says_whether_both_agree() {
        let taken = taken(&near(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":3}"#)).unwrap();
        assert_eq!(taken, [("a".to_owned(), false), ("b".to_owned(), true)]);
        let whole = super::taken(&near("[1]", "[1]")).unwrap();
        assert_eq!(whole, [(WHOLE.to_owned(), true)]);
    }
}
