//! How it stands with a guarded session, and bringing back what it lost.

use jiff::Timestamp;
use serde::Serialize;

use crate::damage::{Damage, only_damage, report};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::guard::{
    self, Generation, GuardPolicy, GuardStatus, Intent, Judgement, Merge, Merged, Recommendation,
    Returned,
};
use crate::model::{Kind, Snapshot, SnapshotId, Verb};
use crate::restore::{Plan, Report, Restore, Restored, Source};
use crate::show::{self, describe};
use crate::shrink::{Guards, Kept, Past, Purpose, moment};
use crate::store::SnapshotRow;

/// Of so many saves with an intent, the newest, the state before them is read to know what they took away; of older
/// ones it is not known.
const PURPOSES: usize = 100;

/// How it stands with a guarded session.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct GuardReport {
    /// Its name.
    pub session: String,
    /// The guard that is for it.
    pub guard: GuardPolicy,
    /// What became of its lists, and what to do.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// The fuller state from which most is missing; nothing where nothing is.
    pub fullest: Option<SnapshotId>,
    /// All fuller states that are kept, newest first. The label of each says what the save after it lost.
    pub generations: Vec<Snapshot>,
    /// What of it cannot be read, and was passed over.
    pub damage: Vec<Damage>,
}

/// What a session lost, ready to be brought back.
#[must_use = "nothing is brought back before apply()"]
pub struct GuardRestore<'a> {
    report: GuardReport,
    returned: Vec<Returned>,
    restore: Option<Restore<'a>>,
}

impl<'a> GuardRestore<'a> {
    /// The items that come back, and the restore that brings them; none where nothing is missing.
    pub(crate) fn into_parts(self) -> (Vec<Returned>, Option<Restore<'a>>) {
        (self.returned, self.restore)
    }

    /// How it stood with the session.
    #[must_use]
    pub fn report(&self) -> &GuardReport {
        &self.report
    }

    /// How many items come back, by list; empty where nothing is missing.
    #[must_use]
    pub fn returned(&self) -> &[Returned] {
        &self.returned
    }

    /// What [`apply`](GuardRestore::apply) would do; nothing where nothing is missing.
    ///
    /// # Errors
    /// As [`Restore::plan`].
    pub fn plan(&self) -> Result<Option<Plan>> {
        self.restore.as_ref().map(Restore::plan).transpose()
    }

    /// Makes the newest state one that has all that was lost and all that is newer. It is a restore like any other:
    /// the log has it, and it can be [undone](Engine::undo). Nothing is done where nothing is missing.
    ///
    /// # Errors
    /// As [`Restore::apply`]; `Conflict` where the session was saved since.
    pub fn apply(self) -> Result<Option<Report>> {
        self.restore.map(Restore::apply).transpose()
    }
}

/// What is read to judge a session.
struct Read {
    guard: GuardPolicy,
    head: i64,
    newest: Vec<u8>,
    generations: Vec<(Snapshot, State)>,
    /// What saves with an intent took away: the states before and after them.
    before: Vec<(String, State, Vec<u8>)>,
    /// All that was said, with when.
    said: Vec<(String, Timestamp)>,
    /// Generations that were left by going back.
    left: Vec<Snapshot>,
    /// How many of the snapshots since the oldest generation cannot be read.
    unknown: usize,
    damage: Vec<Damage>,
}

/// A state that was displaced.
struct State {
    text: Vec<u8>,
    at: Timestamp,
}

impl Read {
    fn intents(&self) -> Vec<Intent<'_>> {
        let said = self.said.iter();
        said.map(|(words, at)| Intent { words, at: *at }).collect()
    }

    /// The generations come first, in their order.
    fn states(&self) -> Vec<Generation<'_>> {
        let kept = self.generations.iter().map(|(_, state)| Generation {
            state: &state.text,
            at: state.at,
            intent: None,
            after: None,
        });
        let meant = self.before.iter().map(|(words, state, after)| Generation {
            state: &state.text,
            at: state.at,
            intent: Some(words),
            after: Some(after),
        });
        kept.chain(meant).collect()
    }
}

impl Engine {
    /// The guards that hold for this program: those of the store, and its own.
    ///
    /// # Errors
    /// As [`Engine::sessions`].
    pub(crate) fn all_guards(&self) -> Result<Guards> {
        Guards::read(&*self.view()?, &self.store().info().id, self.own_guards())
    }

    /// The sessions that a guard is for, by name.
    ///
    /// # Errors
    /// As [`Engine::sessions`].
    pub fn guarded_sessions(&self) -> Result<Vec<String>> {
        let guards = self.all_guards()?;
        if guards.is_empty() {
            return Ok(Vec::new());
        }
        let mut sessions = self.sessions()?;
        sessions.retain(|session| guards.of(session).is_some());
        Ok(sessions)
    }

    /// The fuller state that was kept before `saved`, because that lost items without a word; its label says which.
    ///
    /// # Errors
    /// `Damaged` where it cannot be read.
    pub fn kept_fuller(&self, saved: &Snapshot) -> Result<Option<Snapshot>> {
        let Some(parent) = saved.parent else {
            return Ok(None);
        };
        let view = self.view()?;
        let Some(row) = view.snapshot(parent.seq())? else {
            return Ok(None);
        };
        // One that was kept before another save, which is deleted, is of another time.
        let before = describe(&row, &saved.session, &self.store().info().id)?;
        let is = before.kind == Kind::Guard && before.created_at == saved.created_at;
        Ok(is.then_some(before))
    }

    /// Says of a session whether its guarded lists lost items, on purpose or by accident, whether it went on since,
    /// and what to do.
    ///
    /// # Errors
    /// `NotFound` where there is no such session, or no guard is for it; `Damaged` where its newest state cannot be
    /// read: see [`recover`](Engine::recover) and `verify`.
    pub fn guard_status(&self, session: &str) -> Result<GuardReport> {
        let read = self.read_guarded(session)?;
        judged(session, &read)
    }

    /// Prepares to bring back what a session lost without a word: the older items come back, the newer ones stay, in
    /// order, none twice. What was taken away on purpose stays away. With `from`, exactly that
    /// snapshot is merged with the newest state, whatever was said since.
    ///
    /// # Errors
    /// As [`guard_status`](Engine::guard_status); `Conflict` where it cannot be decided by rules what is right: the
    /// message says why and names both states, which are kept. `InvalidInput` where `from` is another session's.
    pub fn guard_restore(&self, session: &str, from: Option<&str>) -> Result<GuardRestore<'_>> {
        let read = self.read_guarded(session)?;
        let report = judged(session, &read)?;
        let (merged, source) = match from {
            Some(reference) => {
                let from = self.restore(reference)?;
                let id = from.snapshot().id;
                if from.snapshot().session != session {
                    let of = &from.snapshot().session;
                    return Err(Error::invalid(format!(
                        "snapshot {id} is of session {of}, not of {session}"
                    )));
                }
                let merged = guard::merge(&read.guard.lists, from.text(), &read.newest)?;
                (merged, Some(id))
            }
            None => {
                let (intents, states) = (read.intents(), read.states());
                let merged = guard::restore(&read.guard.lists, &read.newest, &intents, &states)?;
                (merged, report.fullest)
            }
        };
        // It is not known what a save took away on purpose: whoever names the state knows.
        let doubt = report.judgement.recommendation == Recommendation::ByHand && from.is_none();
        match merged {
            Merged::Done(_) if doubt => Err(by_hand(&report, &report.judgement.reason, true)),
            Merged::Done(Merge { text, returned }) => {
                let source = source.filter(|_| !returned.is_empty());
                let restore = source.map(|from| {
                    let source = Source::Merged {
                        from: from.seq(),
                        onto: read.head,
                        text,
                    };
                    Restore::new(self, Verb::Restore, source)
                });
                Ok(GuardRestore {
                    report,
                    returned,
                    restore,
                })
            }
            Merged::Undecided(lists) => {
                let why: Vec<String> = lists
                    .iter()
                    .map(|list| format!("{}: {}", list.list, list.reason))
                    .collect();
                Err(by_hand(&report, &why.join("; "), false))
            }
        }
    }

    fn read_guarded(&self, session: &str) -> Result<Read> {
        let guards = self.all_guards()?;
        let view = self.view()?;
        let id = &self.store().info().id;
        let row = show::known_session(&*view, id, session)?;
        let guard = guards.of(session).cloned().ok_or_else(|| {
            Error::not_found(format!(
                "no list of session {session} is guarded; `guard set` does that"
            ))
        })?;
        let past = Past::read(&*view, id, &row)?;
        let restore = |row: &SnapshotRow| -> Result<Restored> {
            Restored::read(&*view, id, row, describe(row, session, id)?)
        };
        let newest = past.newest.as_ref().ok_or_else(|| {
            Error::not_found(format!(
                "session {session} has no snapshot that can be read"
            ))
        })?;
        let newest = restore(newest)?.into_text();
        let mut damage = Vec::new();
        for lost in &past.damaged {
            let message = format!("snapshot {lost} cannot be read; run `verify`");
            report(&mut damage, Some(session), vec![*lost], message);
        }
        let mut generations = Vec::with_capacity(past.generations.len());
        let mut left = Vec::new();
        for Kept { row, counts } in &past.generations {
            if !counts {
                left.push(describe(row, session, id)?);
                continue;
            }
            match restore(row) {
                Ok(restored) => {
                    let at = moment(row.seq)?;
                    let snapshot = restored.snapshot().clone();
                    let text = restored.into_text();
                    generations.push((snapshot, State { text, at }));
                }
                Err(error) => {
                    let message = only_damage(error)?.to_string();
                    let lost = vec![SnapshotId::new(row.seq, id)];
                    report(&mut damage, Some(session), lost, message);
                }
            }
        }
        let mut before = Vec::new();
        let mut said = Vec::new();
        for (
            nth,
            Purpose {
                row,
                words,
                before: at,
            },
        ) in past.purposes.iter().enumerate()
        {
            let known = at.as_ref().filter(|_| nth < PURPOSES);
            let at = moment(row.seq)?;
            said.push((words.clone(), at));
            let Some(known) = known else { continue };
            match restore(known).and_then(|was| Ok((was.into_text(), restore(row)?.into_text()))) {
                Ok((text, after)) => before.push((words.clone(), State { text, at }, after)),
                // What it took away is not known then.
                Err(error) => drop(only_damage(error)?),
            }
        }
        Ok(Read {
            guard,
            head: row.head,
            newest,
            generations,
            before,
            said,
            left,
            unknown: past.unknown(),
            damage,
        })
    }
}

fn judged(session: &str, read: &Read) -> Result<GuardReport> {
    let (intents, states) = (read.intents(), read.states());
    let mut judgement = guard::judge(&read.guard.lists, &read.newest, &intents, &states)?;
    if read.unknown > 0 && judgement.recommendation != Recommendation::Nothing {
        judgement.recommendation = Recommendation::ByHand;
        judgement.reason = format!(
            "{}; {} since cannot be read, and may have taken it away on purpose",
            judgement.reason,
            match read.unknown {
                1 => "a snapshot".to_owned(),
                many => format!("{many} snapshots"),
            }
        );
    }
    let place = match judgement.status {
        GuardStatus::ShrunkByAccident { generation, .. }
        | GuardStatus::Diverged { generation, .. } => Some(generation),
        _ => None,
    };
    let fullest = place.and_then(|place| read.generations.get(place));
    let kept = read.generations.iter().map(|(snapshot, _)| snapshot);
    let mut generations: Vec<Snapshot> = kept.chain(&read.left).cloned().collect();
    generations.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.id));
    Ok(GuardReport {
        session: session.to_owned(),
        guard: read.guard.clone(),
        fullest: fullest.map(|(snapshot, _)| snapshot.id),
        judgement,
        generations,
        damage: read.damage.clone(),
    })
}

/// Both states stay: a person has to say what is right. Some can be merged once it is said which.
fn by_hand(report: &GuardReport, why: &str, merges: bool) -> Error {
    let session = &report.session;
    let way = report.fullest.map_or_else(String::new, |fullest| {
        let merge = if merges {
            format!("`guard restore {session} --from {fullest}` merges them, ")
        } else {
            String::new()
        };
        format!(
            "; both states are kept: `snapshot diff {fullest} {session}@latest` compares them, {merge}\
             `snapshot restore {fullest}` goes back to the fuller one"
        )
    });
    Error::conflict(format!(
        "session {session}: it cannot be decided by rules what is to come back: {why}; nothing was \
         changed{way}"
    ))
}
