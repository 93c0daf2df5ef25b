//! What was lost comes back, and what is newer stays.

use std::collections::HashMap;

use super::identity::{Identity, equal, grew};
use super::layout::{self, Place};
use super::loss::{Compared, compare, documents};
use super::path;
use super::rule::GuardRule;
use crate::error::Result;

/// What came of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// All items of both states, in order.
    Done(Merge),
    /// It cannot be decided what is right; both states are to be kept. One entry for each list.
    Undecided(Vec<Undecided>),
}

/// A state with all that was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merge {
    /// The newest state with the lost items in their places; all else is the newest state's, byte for byte.
    pub text: Vec<u8>,
    /// How many items came back, by list; empty where nothing was lost, and the text is the newest state's.
    pub returned: Vec<Returned>,
}

/// The items that came back to a list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Returned {
    /// The list, as its rule names it.
    pub list: String,
    /// How many.
    pub items: usize,
}

/// A list of which nobody but a person can say what is right.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Undecided {
    /// The list, as its rule names it.
    pub list: String,
    /// Why, for people.
    pub reason: String,
}

/// Brings back to `newest` what it has [lost](crate::guard::loss()) of `generation`, a fuller state of the same
/// session.
///
/// Items that both have are anchors. An item comes back behind the anchor that was before it, and before
/// whatever is newer there: a chat goes on at its end. Where the rule says that the oldest items are at the
/// back ([`trimmed`](GuardRule::trimmed)), it comes back before the anchor behind it, and behind what is
/// newer. So both orders are kept, and no item is in the list more often than in the state that had it
/// more often. Items keep their own bytes, and are set off as the others in the list are; where the newest state has
/// no list there any more, it is added.
///
/// It cannot be decided
/// * where items that both have stand in another order;
/// * where an item of the same key says something else in both (one that grew is the newest state's);
/// * where several items of a list share a key, and that makes a difference;
/// * where something else than a list or `null` stands in its place.
///
/// ```
/// use dalsegno::guard::{self, GuardRule, Merged};
///
/// let rules = [GuardRule::new("messages")];
/// let (ten, nine) = (br#"{"messages":["a","b","c"]}"#, br#"{"messages":["a","d"]}"#);
/// let Merged::Done(merge) = guard::merge(&rules, ten, nine)? else { unreachable!() };
/// assert_eq!(merge.text, br#"{"messages":["a","b","c","d"]}"#);
/// # Ok::<(), dalsegno::Error>(())
/// ```
///
/// # Errors
/// `InvalidInput` where a rule has no path, or a state is not JSON.
pub fn merge(rules: &[GuardRule], generation: &[u8], newest: &[u8]) -> Result<Merged> {
    merge_but(rules, generation, newest, &Removed::default())
}

/// Items that were removed on purpose and do not come back, by the number of their list's rule.
#[derive(Debug, Default)]
pub(super) struct Removed {
    items: HashMap<(usize, Identity), usize>,
    /// Lists to which nothing comes back.
    pub(super) cleared: Vec<usize>,
}

impl Removed {
    /// Adds what is missing in `compared`, which has no items that left by nature: `exactly` what one save took away,
    /// or what is missing since.
    pub(super) fn add(&mut self, compared: &[Compared<'_>], exactly: bool) -> Result<()> {
        let mut now: HashMap<(usize, Identity), usize> = HashMap::new();
        for (rule, list) in compared.iter().enumerate() {
            for place in &list.lost {
                *now.entry((rule, list.identity(*place)?)).or_default() += 1;
            }
        }
        for (item, times) in now {
            let known = self.items.entry(item).or_default();
            *known = if exactly {
                *known + times
            } else {
                // What is missing of two states is mostly the same.
                times.max(*known)
            };
        }
        Ok(())
    }

    /// Takes what was removed on purpose from what is lost.
    pub(super) fn pass_over(&self, compared: &mut [Compared<'_>]) -> Result<()> {
        let mut left = self.items.clone();
        for (rule, list) in compared.iter_mut().enumerate() {
            if self.cleared.contains(&rule) {
                list.lost.clear();
            }
            let mut lost = Vec::with_capacity(list.lost.len());
            for place in &list.lost {
                match left.get_mut(&(rule, list.identity(*place)?)) {
                    Some(times) if *times > 0 => *times -= 1,
                    _ => lost.push(*place),
                }
            }
            list.lost = lost;
        }
        Ok(())
    }
}

/// [`merge`] of what was not `removed` on purpose.
pub(super) fn merge_but(
    rules: &[GuardRule],
    generation: &[u8],
    newest: &[u8],
    removed: &Removed,
) -> Result<Merged> {
    let (earlier, new) = documents(generation, newest)?;
    let mut compared = compare(rules, &earlier, &new)?;
    removed.pass_over(&mut compared)?;
    let lossy = || compared.iter().filter(|list| !list.lost.is_empty());
    let mut text = newest.to_vec();
    let (mut returned, mut undecided) = (Vec::new(), Vec::new());
    for list in lossy() {
        let name = list.rule.list.clone();
        let put = match doubt(list) {
            Some(reason) => Err(reason),
            None => put_back(list, generation, &text)?,
        };
        match put {
            Ok(with) => {
                text = with;
                returned.push(Returned {
                    list: name,
                    items: list.lost.len(),
                });
            }
            Err(reason) => undecided.push(Undecided { list: name, reason }),
        }
    }
    if undecided.is_empty() && !returned.is_empty() {
        let (earlier, new) = documents(generation, &text)?;
        let mut compared = compare(rules, &earlier, &new)?;
        removed.pass_over(&mut compared)?;
        let lossy = compared.iter().filter(|list| !list.lost.is_empty());
        undecided.extend(lossy.map(|list| Undecided {
            list: list.rule.list.clone(),
            reason:
                "several items share a key, so that nothing says which of them are missing".into(),
        }));
    }
    Ok(if undecided.is_empty() {
        Merged::Done(Merge { text, returned })
    } else {
        Merged::Undecided(undecided)
    })
}

/// Why it cannot be decided what this list should be.
fn doubt(list: &Compared<'_>) -> Option<String> {
    if let Some((old, new)) = list.pairs.crossing {
        return Some(format!(
            "both states have its items in another order: number {} of the fuller one is number {} now",
            old + 1,
            new + 1
        ));
    }
    for (place, now) in list.pairs.of_old.iter().enumerate() {
        let (Some(was), Some(now)) = (list.old.get(place), *now) else {
            continue;
        };
        let is = list.new.get(now).map(AsRef::as_ref).unwrap_or_default();
        if !equal(was, is) && !grew(was, is) {
            let key = list.rule.key.as_deref().unwrap_or("key");
            return Some(format!(
                "number {} of the fuller state and number {} of the newest have the same {key}, and say something else",
                place + 1,
                now + 1
            ));
        }
    }
    None
}

/// `text` with the lost items of `list`; or why they have no place there.
fn put_back(
    list: &Compared<'_>,
    generation: &[u8],
    text: &[u8],
) -> Result<Result<Vec<u8>, String>> {
    let path = path::parse(&list.rule.list)?;
    let style = match layout::find(generation, &path)? {
        Place::List(opened) => Some(opened.style(generation, None)),
        _ => None,
    };
    let items = slots(list);
    let whole = |steps: &[String]| {
        let items: Vec<&[u8]> = items.iter().map(|(_, item)| *item).collect();
        let value = style.as_ref().map(|style| style.list(&items));
        layout::nested(steps, value.unwrap_or_default())
    };
    Ok(Ok(match layout::find(text, &path)? {
        Place::List(opened) if opened.len() == list.new.len() => {
            let style = opened.style(text, style.clone());
            opened.with_items(text, &style, &items)
        }
        Place::Missing(object, step) => {
            let (name, rest) = match path.get(step..).and_then(<[String]>::split_first) {
                Some(steps) => steps,
                None => return Ok(Err("it has no place in the newest state".to_owned())),
            };
            object.with_member(text, name, &whole(rest)?)?
        }
        Place::Null(range, step) => {
            let steps = path.get(step..).unwrap_or_default();
            layout::with(text, range, &whole(steps)?)
        }
        Place::List(_) | Place::Other => {
            return Ok(Err(
                "the newest state has something else than a list in its place".to_owned(),
            ));
        }
    }))
}

/// Before which item of the newest list each lost one comes back, rising.
fn slots<'a>(list: &'a Compared<'_>) -> Vec<(usize, &'a [u8])> {
    let newest_first = list.rule.newest_first();
    let of_old = &list.pairs.of_old;
    let mut slots = Vec::with_capacity(list.lost.len());
    let mut slot = if newest_first { list.new.len() } else { 0 };
    let mut lost = list.lost.clone();
    let mut step =
        |at: usize, lost: &mut dyn FnMut(usize) -> bool| match of_old.get(at).copied().flatten() {
            Some(now) => slot = if newest_first { now } else { now + 1 },
            None if lost(at) => {
                if let Some(item) = list.old.get(at) {
                    slots.push((slot, item.as_ref()));
                }
            }
            None => {}
        };
    if newest_first {
        let mut next = |at| lost.pop_if(|last| *last == at).is_some();
        for at in (0..of_old.len()).rev() {
            step(at, &mut next);
        }
        slots.reverse();
    } else {
        lost.reverse();
        let mut next = |at| lost.pop_if(|last| *last == at).is_some();
        for at in 0..of_old.len() {
            step(at, &mut next);
        }
    }
    slots
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
