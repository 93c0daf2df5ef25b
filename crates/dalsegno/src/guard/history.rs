//! What guard generations owe to the newest state: all that was lost without a word, and nothing that was taken
//! away on purpose.

use jiff::Timestamp;

use super::loss::{Loss, compare, documents};
use super::merge::{Merge, Merged, Removed, Returned, Undecided, merge_but};
use super::rule::GuardRule;
use crate::error::Result;

/// A state that was fuller than the one saved after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation<'a> {
    /// Its text.
    pub state: &'a [u8],
    /// When the save was made that displaced it.
    pub at: Timestamp,
    /// The intent of that save; none where it lost items without a word. Besides guard generations, the state
    /// before any save with an intent can be given here: it says what that save took away.
    pub intent: Option<&'a str>,
    /// With an intent: the state that the save brought, if it is at hand, so that what it took away is known exactly.
    /// Without, all that is missing now counts as taken away.
    pub after: Option<&'a [u8]>,
}

/// What a save said that took items away: `clear`, `undo`, `compress`, `skip` or a program's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent<'a> {
    /// What it said. Where the first word is `clear`, all that the lists had before is gone on purpose, also
    /// what they had lost by then.
    pub words: &'a str,
    /// When the save was made.
    pub at: Timestamp,
}

impl Intent<'_> {
    fn clears(&self) -> bool {
        clears(self.words)
    }
}

/// Whether an intent of these words takes away all that there was.
pub(crate) fn clears(words: &str) -> bool {
    let rest = words.trim_start().strip_prefix("clear");
    rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Brings back to `newest` all that it and the states before it lost without an intent: each generation is
/// [merged](super::merge()) in turn, the newest first. What was taken away with an intent stays away, also where an
/// older generation still has it: it is known from the generations with an intent, and of a `clear` also from
/// `intents` alone.
///
/// # Errors
/// As [`merge`](super::merge()).
pub fn restore(
    rules: &[GuardRule],
    newest: &[u8],
    intents: &[Intent<'_>],
    generations: &[Generation<'_>],
) -> Result<Merged> {
    let history = History::of(rules, intents, generations);
    let mut text = newest.to_vec();
    let mut returned: Vec<Returned> = Vec::new();
    for (at, (_, generation)) in history.generations.iter().enumerate() {
        if generation.intent.is_some() {
            continue;
        }
        let removed = history.removed_after(at, &text)?;
        match merge_but(rules, generation.state, &text, &removed)? {
            Merged::Done(merge) => {
                text = merge.text;
                for back in merge.returned {
                    match returned.iter_mut().find(|known| known.list == back.list) {
                        Some(known) => known.items += back.items,
                        None => returned.push(back),
                    }
                }
            }
            Merged::Undecided(lists) => {
                let of = |list: Undecided| Undecided {
                    reason: format!("{} (the state of {})", list.reason, generation.at),
                    ..list
                };
                return Ok(Merged::Undecided(lists.into_iter().map(of).collect()));
            }
        }
    }
    Ok(Merged::Done(Merge { text, returned }))
}

/// The generations of a session with all that was said.
pub(super) struct History<'a> {
    rules: &'a [GuardRule],
    /// The same, of which nothing leaves by nature.
    plain: Vec<GuardRule>,
    intents: &'a [Intent<'a>],
    /// The newest first, each with its place as it was given.
    pub(super) generations: Vec<(usize, Generation<'a>)>,
}

impl<'a> History<'a> {
    pub(super) fn of(
        rules: &'a [GuardRule],
        intents: &'a [Intent<'a>],
        generations: &'a [Generation<'a>],
    ) -> Self {
        let mut generations: Vec<_> = generations.iter().copied().enumerate().collect();
        generations.sort_by_key(|(place, generation)| std::cmp::Reverse((generation.at, *place)));
        Self {
            rules,
            plain: rules.iter().map(GuardRule::without_nature).collect(),
            intents,
            generations,
        }
    }

    /// What was taken away on purpose after the generation `at`, and is missing `now`.
    pub(super) fn removed_after(&self, at: usize, now: &[u8]) -> Result<Removed> {
        let mut removed = Removed::default();
        let Some((_, generation)) = self.generations.get(at) else {
            return Ok(removed);
        };
        for (_, later) in self.generations.iter().take(at) {
            let Some(words) = later.intent else { continue };
            let (was, is) = documents(later.state, later.after.unwrap_or(now))?;
            let compared = compare(&self.plain, &was, &is)?;
            removed.add(&compared, later.after.is_some())?;
            if !clears(words) {
                continue;
            }
            removed.cleared.extend(0..self.rules.len());
        }
        let unseen = self.unseen(generation.at);
        if unseen.into_iter().any(|intent| intent.clears()) {
            removed.cleared.extend(0..self.rules.len());
        }
        Ok(removed)
    }

    /// The intents of later saves of which it is not known what they took away.
    fn unseen(&self, after: Timestamp) -> Vec<&'a Intent<'a>> {
        let known = |intent: &Intent<'_>| {
            let mut generations = self.generations.iter();
            generations.any(|(_, g)| g.at == intent.at && g.intent.is_some())
        };
        let later = self.intents.iter().filter(|intent| intent.at > after);
        later.filter(|intent| !known(intent)).collect()
    }

    /// The newest of them that is no `clear`: perhaps it took away what is missing.
    pub(super) fn doubt(&self, after: Timestamp) -> Option<&'a Intent<'a>> {
        let unseen = self.unseen(after).into_iter();
        unseen
            .filter(|intent| !intent.clears())
            .max_by_key(|intent| intent.at)
    }

    /// The newest `clear` that stands for itself.
    pub(super) fn cleared(&self, after: Timestamp) -> Option<&'a str> {
        let unseen = self.unseen(after).into_iter();
        let clear = unseen
            .filter(|intent| intent.clears())
            .max_by_key(|intent| intent.at);
        clear.map(|intent| intent.words)
    }

    /// What `newest` lacks of the generation `at`: all of it, and what was lost without a word.
    pub(super) fn lost(&self, at: usize, newest: &[u8]) -> Result<(bool, Vec<Loss>)> {
        let Some((_, generation)) = self.generations.get(at) else {
            return Ok((false, Vec::new()));
        };
        let (was, is) = documents(generation.state, newest)?;
        let mut compared = compare(self.rules, &was, &is)?;
        let any = compared.iter().any(|list| !list.lost.is_empty());
        if any {
            self.removed_after(at, newest)?.pass_over(&mut compared)?;
        }
        let lost = compared.iter().filter_map(|list| list.loss()).collect();
        Ok((any, lost))
    }

    /// How many items `newest` has that the generation `at` has not.
    pub(super) fn newer(&self, at: usize, newest: &[u8]) -> Result<usize> {
        let Some((_, generation)) = self.generations.get(at) else {
            return Ok(0);
        };
        let (is, was) = documents(newest, generation.state)?;
        let compared = compare(&self.plain, &is, &was)?;
        Ok(compared.iter().map(|list| list.lost.len()).sum())
    }
}
