//! What takes a session's place where it is to be restored: its backup, or what the guard makes of all states.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use dalsegno::guard::{self, GuardRule, GuardStatus, Intent, Merged, Recommendation};
use dalsegno::{Error, ErrorKind, Result};
use jiff::Timestamp;

use crate::count::{self, Count, Unreadable};
use crate::generations::{Generation, since_deletion};
use crate::name::backup_path;
use crate::status::Status;

/// What is to be put in the place of a session's file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// A copy of this file: the backup, or a generation.
    Copy(PathBuf),
    /// A text that has what several states have.
    Text(Vec<u8>),
    /// Nothing, because what is missing was taken away on purpose.
    Nothing(String),
    /// Nobody but a person can say; why.
    Undecided(String),
}

/// The list that is guarded. Messages have no ids: they are the same where they are equal.
pub(crate) fn rules() -> [GuardRule; 1] {
    [GuardRule::new("messages")]
}

/// Whether the file is no session, and cannot be a whole one either.
pub(crate) fn is_torn(count: Count) -> bool {
    use Unreadable::{Malformed, NoMessages};
    matches!(count, Count::Unreadable(Malformed | NoMessages))
}

/// What is to be put in the place of the session's file, of which `status` says that it is to be restored.
pub(crate) fn decide(path: &Path, status: &Status) -> Result<Put> {
    let backup = backup_path(path)?;
    let kept = since_deletion(path)?;
    match status.live_messages {
        Count::Messages(0) if kept.is_empty() => Ok(Put::Copy(backup)),
        Count::Messages(_) => shrunk(path, backup, &kept),
        live if is_torn(live) && !kept.is_empty() => torn(backup, status, &kept),
        _ => Ok(Put::Copy(backup)),
    }
}

/// The backup has more messages than the file.
fn shrunk(path: &Path, backup: PathBuf, kept: &[Generation]) -> Result<Put> {
    let live = read(path)?;
    let fuller = State::of_backup(&backup)?;
    let mut states = states(kept)?;
    states.push(fuller);
    let history = History::of(&states, kept);
    let bak = states.last().map(|it| it.text.as_slice());
    let bak = bak.unwrap_or_default();
    Ok(match history.judge(&live, bak) {
        Ok(Judged::Backup) => Put::Copy(backup),
        Ok(Judged::Text(text)) => Put::Text(text),
        Ok(Judged::Purpose(why)) => Put::Nothing(why),
        Ok(Judged::ByHand(why)) => Put::Undecided(why),
        // What Python takes as JSON and the guard does not: as without a guard.
        Err(_) => Put::Copy(backup),
    })
}

/// The file is torn, emptied or something else: the newest good state comes back, with what was lost before it.
fn torn(backup: PathBuf, status: &Status, kept: &[Generation]) -> Result<Put> {
    let mut states = states(kept)?;
    if matches!(status.bak_messages, Count::Messages(_)) {
        states.push(State::of_backup(&backup)?);
    }
    // What was displaced on purpose is only taken where there is nothing else.
    let newest = states
        .iter()
        .enumerate()
        .max_by_key(|(_, state)| (state.intent.is_none(), state.at))
        .map(|(place, _)| place);
    let Some(newest) = newest.filter(|place| *place < states.len()) else {
        return Ok(Put::Copy(backup));
    };
    let newest = states.swap_remove(newest);
    if newest.intent.is_some() {
        return Ok(Put::Copy(newest.path));
    }
    let history = History::of(&states, kept);
    Ok(match history.restore(&newest.text) {
        Ok(Merged::Done(merge)) if !merge.returned.is_empty() => Put::Text(merge.text),
        _ => Put::Copy(newest.path),
    })
}

/// An earlier state that can be read.
pub(crate) struct State {
    path: PathBuf,
    text: Vec<u8>,
    at: Timestamp,
    intent: Option<String>,
}

impl State {
    fn of_backup(path: &Path) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            text: read(path)?,
            at: modified(path)?,
            intent: None,
        })
    }
}

/// The generations that can be read; what is only an intent still, or was damaged, is none.
fn states(kept: &[Generation]) -> Result<Vec<State>> {
    let mut states = Vec::with_capacity(kept.len());
    for generation in kept {
        let text = read(&generation.path)?;
        if matches!(count::of(&text), Count::Messages(_)) {
            states.push(State {
                path: generation.path.clone(),
                text,
                at: generation.at,
                intent: generation.intent.clone(),
            });
        }
    }
    Ok(states)
}

/// What the guard makes of a session that shrank.
enum Judged {
    Backup,
    Text(Vec<u8>),
    Purpose(String),
    ByHand(String),
}

/// Earlier states and intents, as the guard takes them.
struct History<'a> {
    generations: Vec<guard::Generation<'a>>,
    intents: Vec<Intent<'a>>,
}

impl<'a> History<'a> {
    fn of(states: &'a [State], kept: &'a [Generation]) -> Self {
        // What an intent took away of which only the words are left may be in any older state.
        let words_only = |it: &&Generation| it.intent.is_some() && it.size == 0;
        let doubt = kept.iter().filter(words_only).map(|it| it.at).max();
        let sure = states
            .iter()
            .filter(|state| state.intent.is_some() || Some(state.at) > doubt);
        let generations = sure.map(|state| guard::Generation {
            state: &state.text,
            at: state.at,
            intent: state.intent.as_deref(),
            after: None,
        });
        let intent = |it: &'a Generation| {
            let words = it.intent.as_deref()?;
            Some(Intent { words, at: it.at })
        };
        Self {
            generations: generations.collect(),
            intents: kept.iter().filter_map(intent).collect(),
        }
    }

    fn restore(&self, newest: &[u8]) -> Result<Merged> {
        guard::restore(&rules(), newest, &self.intents, &self.generations)
    }

    /// What becomes of `live`, of which `backup` has more.
    fn judge(&self, live: &[u8], backup: &[u8]) -> Result<Judged> {
        let rules = rules();
        let lacks = |text: &[u8]| Ok(!guard::loss_in_texts(&rules, text, backup)?.is_empty());
        let judged = guard::judge(&rules, live, &self.intents, &self.generations)?;
        match (judged.status, judged.recommendation) {
            (GuardStatus::ShrunkOnPurpose { .. }, _) => Ok(Judged::Purpose(judged.reason)),
            (_, Recommendation::Restore | Recommendation::Merge) => {
                let Merged::Done(merge) = self.restore(live)? else {
                    return Ok(Judged::ByHand(judged.reason));
                };
                Ok(if lacks(&merge.text)? || lost_more(&merge.text, backup) {
                    Judged::Text(merge.text)
                } else {
                    Judged::Backup
                })
            }
            (_, Recommendation::ByHand) => Ok(Judged::ByHand(judged.reason)),
            _ if lacks(live)? => Ok(Judged::ByHand(
                "the backup has more messages, but none that the file lacks".to_owned(),
            )),
            _ => Ok(Judged::Backup),
        }
    }
}

/// Whether a restored text has fewer messages than the backup: some of those were taken away on purpose.
fn lost_more(text: &[u8], backup: &[u8]) -> bool {
    count::of(text).to_i64() < count::of(backup).to_i64()
}

/// `text` with all that only the backup at `backup` still had, but for what the save with `intent` takes from the
/// file before.
pub(crate) fn pending(
    text: &[u8],
    before: Option<&[u8]>,
    backup: &Path,
    intent: &str,
    now: Timestamp,
) -> Result<Option<Vec<u8>>> {
    let lost = State::of_backup(backup)?;
    let mut generations = vec![guard::Generation {
        state: &lost.text,
        at: lost.at,
        intent: None,
        after: None,
    }];
    generations.extend(before.map(|state| guard::Generation {
        state,
        at: now,
        intent: Some(intent),
        after: Some(text),
    }));
    let words = Intent {
        words: intent,
        at: now,
    };
    Ok(
        match guard::restore(&rules(), text, &[words], &generations) {
            Ok(Merged::Done(merge)) => Some(merge.text),
            Ok(Merged::Undecided(_)) | Err(_) => None,
        },
    )
}

/// Whether `new` has not all that `before` had; also where nobody can tell.
pub(crate) fn loses(before: &[u8], new: &[u8]) -> bool {
    guard::loss_in_texts(&rules(), before, new).map_or(true, |lost| !lost.is_empty())
}

/// Whether the session at `path` has messages that none of the `others` has; also where nobody can tell.
pub(crate) fn has_more(path: &Path, others: &[&[u8]]) -> Result<bool> {
    let text = read(path)?;
    let mut own: Option<HashSet<usize>> = None;
    for other in others {
        let Ok(lost) = guard::loss_in_texts(&rules(), &text, other) else {
            return Ok(true);
        };
        let lost: HashSet<usize> = lost.into_iter().flat_map(|loss| loss.lost).collect();
        own = Some(match own {
            Some(own) => own.intersection(&lost).copied().collect(),
            None => lost,
        });
    }
    Ok(own.is_none_or(|own| !own.is_empty()))
}

/// When the file was written.
pub(crate) fn modified(path: &Path) -> Result<Timestamp> {
    let failed = |e| Error::io(format!("looking at {}", path.display()), e);
    let there = fs::metadata(path).and_then(|there| there.modified());
    Timestamp::try_from(there.map_err(failed)?).map_err(|e| {
        Error::new(
            ErrorKind::Storage,
            format!("the time of {}: {e}", path.display()),
        )
    })
}

/// The whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let failed = |e| Error::io(format!("reading {}", path.display()), e);
    let mut text = Vec::new();
    let mut file = crate::file::open(path).map_err(failed)?;
    io::Read::read_to_end(&mut file, &mut text).map_err(failed)?;
    Ok(text)
}
