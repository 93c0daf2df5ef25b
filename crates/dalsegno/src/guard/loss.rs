//! What a new state has lost of an earlier one.

use std::borrow::Cow;
use std::fmt;

use super::elsewhere;
use super::identity::Identity;
use super::items;
use super::pairs::Pairs;
use super::path;
use super::rule::{End, GuardRule};
use crate::document::lookup::Lookup;
use crate::document::{Document, split};
use crate::error::Result;

/// The items that a list has lost. As text, one line for people: `messages: 950 of 1000 lost`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Loss {
    /// The list, as its rule names it.
    pub list: String,
    /// How many items it had.
    pub before: usize,
    /// How many it has; 0 where it is no list any more.
    pub after: usize,
    /// The places of the lost items in the earlier list, rising; never empty.
    pub lost: Vec<usize>,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (list, lost, before) = (&self.list, self.lost.len(), self.before);
        write!(f, "{list}: {lost} of {before} lost")
    }
}

/// What `new` has lost of `earlier`, by list, in the order of `rules`; empty where nothing is lost.
///
/// An item of a guarded list is lost where no list of the new state has it any more, at any depth, guarded or
/// not: a track that went from the queue to the history is there. Items are the same by their rule's
/// [key](GuardRule::key), else where they are equal whatever the white space between their tokens. Each item
/// counts once: of two equal tracks in a queue, one can be lost. Outside guarded lists of the same key an item of
/// the same key must also say all that the lost one said, because ids of other things may be the same.
///
/// No loss is:
/// * what left at the [consumed](GuardRule::consumed) end, before all that is still there. Where nothing is
///   still there, only a single item is believed to have been used: a queue that is emptied at once is lost;
/// * what left at the [trimmed](GuardRule::trimmed) end, before all that is still there; where the rule has a
///   [bound](GuardRule::bound), only if the list is full, and then also all of it;
/// * another order of the same items;
/// * an item that grew where it stands: an object to which members, elements of its lists or the rest of
///   one text were added, as while an answer is being written.
///
/// A list that is missing, `null` or something else is empty. Where the states share memory, as a state with the one
/// saved before it, items that stayed cost a comparison of pointers.
///
/// ```
/// use dalsegno::guard::{self, End, GuardRule};
///
/// let rules = [GuardRule::new("queue").consumed(End::Front)];
/// let lost = |earlier: &str, new: &str| guard::loss_in_texts(&rules, earlier.as_bytes(), new.as_bytes());
///
/// assert!(lost(r#"{"queue":["a","b","c"]}"#, r#"{"queue":["b","c","d"]}"#)?.is_empty());
/// let loss = lost(r#"{"queue":["a","b","c"]}"#, r#"{"queue":[]}"#)?;
/// assert_eq!(loss[0].to_string(), "queue: 3 of 3 lost");
/// # Ok::<(), dalsegno::Error>(())
/// ```
///
/// # Errors
/// `InvalidInput` where a rule has no path ([`GuardRule::check`] says which).
pub fn loss(rules: &[GuardRule], earlier: &Document, new: &Document) -> Result<Vec<Loss>> {
    let compared = compare(rules, earlier, new)?;
    Ok(compared.iter().filter_map(Compared::loss).collect())
}

/// [`loss`] between two texts.
///
/// # Errors
/// As [`loss`]; also where one of them is not JSON.
pub fn loss_in_texts(rules: &[GuardRule], earlier: &[u8], new: &[u8]) -> Result<Vec<Loss>> {
    let (earlier, new) = documents(earlier, new)?;
    loss(rules, &earlier, &new)
}

/// Both texts as documents that share what they have in common.
pub(super) fn documents(earlier: &[u8], new: &[u8]) -> Result<(Document, Document)> {
    let earlier = split(earlier, None)
        .map_err(|e| e.context("the earlier state"))?
        .document;
    let lookup = Lookup::new(&earlier);
    let new = split(new, Some(&lookup))
        .map_err(|e| e.context("the new state"))?
        .document;
    Ok((earlier, new))
}

/// A guarded list in two states.
pub(super) struct Compared<'a> {
    pub(super) rule: &'a GuardRule,
    pub(super) key: Option<Vec<String>>,
    pub(super) old: Vec<Cow<'a, [u8]>>,
    pub(super) new: Vec<Cow<'a, [u8]>>,
    pub(super) pairs: Pairs,
    /// The places in the old list of what is lost.
    pub(super) lost: Vec<usize>,
}

impl Compared<'_> {
    pub(super) fn loss(&self) -> Option<Loss> {
        (!self.lost.is_empty()).then(|| Loss {
            list: self.rule.list.clone(),
            before: self.old.len(),
            after: self.new.len(),
            lost: self.lost.clone(),
        })
    }

    /// Which item stands at `place` of the old list.
    pub(super) fn identity(&self, place: usize) -> Result<Identity> {
        let item = self.old.get(place).map(AsRef::as_ref);
        Identity::of(item.unwrap_or_default(), self.key.as_deref())
    }

    /// What is missing where it was, and did not leave by nature.
    fn missing(rule: &GuardRule, pairs: &Pairs) -> Vec<usize> {
        let stays = |place: &Option<usize>| place.is_some();
        let first = pairs.of_old.iter().position(stays);
        let last = pairs.of_old.iter().rposition(stays);
        let full = |bound| pairs.of_new.len() >= usize::try_from(bound).unwrap_or(usize::MAX);
        let trims = rule.bound.map_or(first.is_some(), full);
        let natural = |at: usize, end: End| match (end, first, last) {
            (End::Front, Some(first), _) => at < first,
            (End::Back, _, Some(last)) => at > last,
            _ => true,
        };
        let leaves = |at: usize| {
            (first.is_some() && rule.consumed.is_some_and(|end| natural(at, end)))
                || (trims && rule.trimmed.is_some_and(|end| natural(at, end)))
        };
        let places = pairs.of_old.iter().enumerate();
        places
            .filter(|(at, place)| place.is_none() && !leaves(*at))
            .map(|(at, _)| at)
            .collect()
    }
}

/// Every guarded list in both states, with what is lost.
pub(super) fn compare<'a>(
    rules: &'a [GuardRule],
    earlier: &'a Document,
    new: &'a Document,
) -> Result<Vec<Compared<'a>>> {
    let mut compared = Vec::with_capacity(rules.len());
    for rule in rules {
        let list = path::parse(&rule.list)?;
        let key = rule.key.as_deref().map(path::parse).transpose()?;
        let (old, is) = (items::of(earlier, &list)?, items::of(new, &list)?);
        let was: Vec<&[u8]> = old.iter().map(AsRef::as_ref).collect();
        let now: Vec<&[u8]> = is.iter().map(AsRef::as_ref).collect();
        let mut pairs = Pairs::quickly(&was, &now, key.as_deref())?;
        let mut lost = Compared::missing(rule, &pairs);
        if !lost.is_empty() {
            pairs = Pairs::of(&was, &now, key.as_deref())?;
            lost = Compared::missing(rule, &pairs);
        }
        // Which of several equal items left may make the difference.
        for end in [rule.consumed, rule.trimmed].into_iter().flatten() {
            if lost.is_empty() {
                break;
            }
            let others = Pairs::away_from(end, &was, &now, key.as_deref())?;
            let missing = Compared::missing(rule, &others);
            if missing.len() < lost.len() {
                (pairs, lost) = (others, missing);
            }
        }
        compared.push(Compared {
            rule,
            key,
            old,
            new: is,
            pairs,
            lost,
        });
    }
    if compared.iter().any(|list| !list.lost.is_empty()) {
        elsewhere::find(&mut compared, new)?;
    }
    for list in &mut compared {
        let used_up = list.rule.consumed.is_some() && list.pairs.of_old.iter().all(Option::is_none);
        if used_up && list.lost.len() == 1 {
            list.lost.clear();
        }
    }
    Ok(compared)
}

#[cfg(test)]
#[path = "loss_tests.rs"]
mod tests;
