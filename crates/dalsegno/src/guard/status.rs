//! How it stands with a session that shrank.

use super::history::{Generation, History, Intent, restore};
use super::loss::Loss;
use super::merge::Merged;
use super::rule::GuardRule;
use crate::error::Result;

/// What became of a session's guarded lists. As JSON: `{"status": "shrunk_on_purpose", "intent": "clear"}`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
#[non_exhaustive]
pub enum GuardStatus {
    /// Nothing is missing.
    Fine,
    /// What is missing was taken away with an intent.
    ShrunkOnPurpose {
        /// What the newest of them said.
        intent: String,
    },
    /// Items were lost without a word, and the newest state has nothing newer.
    ShrunkByAccident {
        /// What is missing of the fullest generation, by list.
        lost: Vec<Loss>,
        /// Which one that is, by its place among those given.
        generation: usize,
    },
    /// Items were lost without a word, and the session went on: the newest state has items that the fuller one
    /// has not.
    Diverged {
        /// What is missing of the fullest generation, by list.
        lost: Vec<Loss>,
        /// Which one that is, by its place among those given.
        generation: usize,
        /// How many items the newest state has that it has not.
        newer: usize,
    },
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Recommendation {
    /// Nothing.
    Nothing,
    /// Bring back what was lost; the newest state has nothing that the fuller one has not.
    Restore,
    /// Bring back what was lost and keep what is newer.
    Merge,
    /// It cannot be decided by rules; look at both states.
    ByHand,
}

/// How it stands with a session, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Judgement {
    /// What became of its lists.
    #[serde(flatten)]
    pub status: GuardStatus,
    /// What to do.
    pub recommendation: Recommendation,
    /// Why, for people.
    pub reason: String,
}

/// Judges a session by its newest state, its guard generations and the `intents` of the saves since the oldest of them
/// that took items away.
///
/// An item that is missing was taken away on purpose where the last state known to have had it was displaced by
/// a save with an intent, or where everything was cleared since. An intent of a save whose state before is not
/// among the generations leaves it open what it took away; then nothing is brought back by rules, since what was
/// deleted on purpose must stay so.
///
/// ```
/// use dalsegno::guard::{self, Generation, GuardRule, GuardStatus, Recommendation};
///
/// let rules = [GuardRule::new("messages")];
/// let generation = Generation {
///     state: br#"{"messages":["a","b","c"]}"#,
///     at: "2026-11-20T10:00:00Z".parse().unwrap(),
///     intent: None,
///     after: None,
/// };
/// let judged = guard::judge(&rules, br#"{"messages":["a","d"]}"#, &[], &[generation])?;
/// assert!(matches!(judged.status, GuardStatus::Diverged { newer: 1, .. }));
/// assert_eq!(judged.recommendation, Recommendation::Merge);
/// assert_eq!(judged.reason, "messages: 2 of 3 lost; 1 newer item stays");
/// # Ok::<(), dalsegno::Error>(())
/// ```
///
/// # Errors
/// `InvalidInput` where a rule has no path, or a state is not JSON.
pub fn judge(
    rules: &[GuardRule],
    newest: &[u8],
    intents: &[Intent<'_>],
    generations: &[Generation<'_>],
) -> Result<Judgement> {
    let history = History::of(rules, intents, generations);
    let mut purpose: Option<&str> = None;
    let mut fullest: Option<(usize, Vec<Loss>)> = None;
    for (at, (_, generation)) in history.generations.iter().enumerate() {
        let (any, lost) = history.lost(at, newest)?;
        match generation.intent {
            Some(words) if any => purpose = purpose.or(Some(words)),
            None if any && lost.is_empty() => {
                purpose = purpose.or_else(|| history.cleared(generation.at));
            }
            None if count(&lost) > fullest.as_ref().map_or(0, |(_, lost)| count(lost)) => {
                fullest = Some((at, lost));
            }
            _ => {}
        }
    }
    let Some((at, lost)) = fullest else {
        return Ok(match purpose {
            Some(words) => Judgement {
                status: GuardStatus::ShrunkOnPurpose {
                    intent: words.to_owned(),
                },
                recommendation: Recommendation::Nothing,
                reason: format!("what is missing was taken away on purpose: {words}"),
            },
            None => Judgement {
                status: GuardStatus::Fine,
                recommendation: Recommendation::Nothing,
                reason: "nothing is missing".to_owned(),
            },
        });
    };
    let newer = history.newer(at, newest)?;
    let told: Vec<String> = lost.iter().map(ToString::to_string).collect();
    let told = told.join(", ");
    let (generation, since) = match history.generations.get(at) {
        Some((place, generation)) => (*place, history.doubt(generation.at)),
        None => (0, None),
    };
    let status = if newer == 0 {
        GuardStatus::ShrunkByAccident { lost, generation }
    } else {
        GuardStatus::Diverged {
            lost,
            generation,
            newer,
        }
    };
    let (recommendation, reason) = match (since, restore(rules, newest, intents, generations)?) {
        (Some(intent), _) => (
            Recommendation::ByHand,
            format!(
                "{told}; afterwards a save said '{}', and which of it that took away is not known",
                intent.words
            ),
        ),
        (None, Merged::Undecided(lists)) => {
            let why: Vec<String> = lists
                .iter()
                .map(|list| format!("{}: {}", list.list, list.reason))
                .collect();
            (
                Recommendation::ByHand,
                format!("{told}; {}", why.join("; ")),
            )
        }
        (None, Merged::Done(_)) => match newer {
            0 => (Recommendation::Restore, format!("{told}; nothing is newer")),
            1 => (Recommendation::Merge, format!("{told}; 1 newer item stays")),
            many => (
                Recommendation::Merge,
                format!("{told}; {many} newer items stay"),
            ),
        },
    };
    Ok(Judgement {
        status,
        recommendation,
        reason,
    })
}

fn count(lost: &[Loss]) -> usize {
    lost.iter().map(|loss| loss.lost.len()).sum()
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
