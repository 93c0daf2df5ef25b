//! What is done to a house, each with all that it takes to do it again.

use dalsegno::guard::{GuardPolicy, GuardRule};
use dalsegno::retention::{Policy, Rules};
use dalsegno::{Back, Cleanup, Engine, Kind, Purge, Query, Report, Result, Snapshot};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{House, guarded};
use crate::{state, tracks};

/// One deed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Deed {
    Save {
        who: u64,
        n: u64,
        name: Option<String>,
    },
    Rollback {
        session: String,
        steps: u32,
    },
    Undo(String),
    Redo(String),
    ToFile {
        reference: String,
        file: usize,
    },
    /// Somebody writes something else to a file.
    Spoil {
        file: usize,
    },
    /// `grace` in minutes.
    Delete {
        references: Vec<String>,
        grace: i64,
    },
    Undelete(Vec<String>),
    Cleanup {
        session: Option<String>,
        keep_last: u32,
        grace: Option<i64>,
        purge: bool,
    },
    /// All, or what is expired.
    Purge {
        all: bool,
    },
    Rename {
        reference: String,
        name: Option<String>,
    },
    Tag {
        reference: String,
        tag: String,
    },
    Pin {
        reference: String,
        pinned: bool,
    },
    Fork {
        reference: String,
        name: String,
    },
    Policy {
        pattern: String,
        keep_last: u32,
    },
    NoPolicy(String),
    /// A save that may lose tracks of its queue, with an intent or without a word; then the store is closed.
    Keep {
        who: u64,
        n: u64,
        intent: Option<String>,
    },
    /// What went without a word comes back.
    Regain(String),
    Guard {
        generations: u32,
    },
    NoGuard,
    /// Records are packed, space is given back; the next deed opens the store again.
    Close,
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn ids(snapshots: &[Snapshot]) -> String {
    let ids = snapshots.iter().map(|s| s.id.to_string());
    ids.collect::<Vec<_>>().join(" ")
}

fn strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn told(report: &Report) -> String {
    let id = |snapshot: &Option<Snapshot>| snapshot.as_ref().map(|s| s.id.to_string());
    format!("{:?} {:?}", id(&report.safety), id(&report.head))
}

impl Deed {
    pub(super) fn run(&self, house: &mut House) -> Result<String> {
        let file = |n: &usize| house.file(*n);
        match self {
            Self::Close => {
                house.close()?;
                return Ok(String::new());
            }
            Self::Keep { who, n, intent } => {
                return keep(house, &guarded(*who), state(*who, *n), intent.as_deref());
            }
            Self::Spoil { file: n } => {
                dalsegno::write_private(&file(n), |out| {
                    out.write_all(b"not JSON").unwrap();
                    Ok(())
                })?;
                return Ok(String::new());
            }
            Self::ToFile { reference, file: n } => {
                let path = file(n);
                let report = house.engine()?.put_back(reference).to_file(path).apply()?;
                return Ok(told(&report));
            }
            _ => {}
        }
        self.on(house.engine()?)
    }

    fn on(&self, engine: &Engine) -> Result<String> {
        let id = |snapshot: Snapshot| snapshot.id.to_string();
        Ok(match self {
            Self::Save { who, n, name } => {
                let mut save = engine.save_json(&format!("s/{who}"), state(*who, *n));
                if let Some(name) = name {
                    save = save.name(name).tag("named").meta("n", *n);
                }
                id(save.commit()?)
            }
            Self::Rollback { session, steps } => {
                told(&engine.rollback(session, &Back::Steps(*steps))?.apply()?)
            }
            Self::Undo(session) => told(&engine.undo(session)?.apply()?),
            Self::Redo(session) => told(&engine.redo(session)?.apply()?),
            Self::Delete { references, grace } => {
                ids(&engine.delete(&strs(references), minutes(*grace))?)
            }
            Self::Undelete(references) => ids(&engine.undelete(&strs(references))?),
            Self::Cleanup {
                session,
                keep_last,
                grace,
                purge,
            } => {
                let plan = engine.cleanup_plan(&Cleanup {
                    session: session.clone(),
                    rules: (*keep_last > 0).then(|| Rules::new().keep_last(*keep_last)),
                    grace: grace.map(minutes),
                    purge: *purge,
                })?;
                let cleaned = engine.cleanup(&plan, &mut |_| {})?;
                format!("{} {}", cleaned.deleted, cleaned.purged.snapshots)
            }
            Self::Purge { all } => {
                let purge = if *all {
                    Purge::All(None)
                } else {
                    Purge::Expired
                };
                engine.purge(&purge, &mut |_| {})?.snapshots.to_string()
            }
            Self::Rename { reference, name } => id(engine.rename(reference, name.as_deref())?),
            Self::Tag { reference, tag } => id(engine.tag(reference, &[tag])?),
            Self::Pin { reference, pinned } => id(engine.pin(reference, *pinned)?),
            Self::Fork { reference, name } => id(engine.fork(reference, name)?),
            Self::Policy { pattern, keep_last } => {
                let rules = Rules::new().keep_last(*keep_last);
                let policy = Policy::new(pattern, rules).grace(minutes(5));
                engine.set_policy(&policy).map(|()| String::new())?
            }
            Self::NoPolicy(pattern) => engine.remove_policy(pattern).map(|()| String::new())?,
            Self::Regain(session) => {
                let restore = engine.guard_restore(session, None)?;
                let newest = format!("{session}@latest");
                let before = tracks(engine.restore(&newest)?.text());
                let report = restore.apply()?;
                // What is newer stays.
                let after = tracks(engine.restore(&newest)?.text());
                assert!(before.is_subset(&after), "{session}: {before:?} {after:?}");
                report.as_ref().map(told).unwrap_or_default()
            }
            Self::Guard { generations } => {
                let guard = GuardPolicy::new(GUARDED).list(GuardRule::new("upcoming").key("title"));
                engine.set_guard(&guard.generations(*generations))?;
                String::new()
            }
            Self::NoGuard => engine.remove_guard(GUARDED).map(|()| String::new())?,
            Self::Close | Self::Keep { .. } | Self::Spoil { .. } | Self::ToFile { .. } => {
                String::new()
            }
        })
    }

    /// Whether doing it once more, after it was done in part, does the rest and nothing else.
    pub fn can_be_repeated(&self) -> bool {
        matches!(self, Self::Cleanup { .. } | Self::Purge { .. })
    }
}

/// The sessions whose queues are guarded.
const GUARDED: &str = "g/*";

/// Saves a state; where that loses tracks without a word, they are in a state that is kept.
fn keep(house: &mut House, session: &str, text: Vec<u8>, intent: Option<&str>) -> Result<String> {
    let engine = house.engine()?;
    let guarded = engine
        .guards()?
        .iter()
        .any(|guard| guard.pattern == GUARDED);
    let before = engine.restore(&format!("{session}@latest")).ok();
    let before = before.map(|restored| tracks(restored.text()));
    let after = tracks(&text);
    let save = engine.save_json(session, text);
    let save = match intent {
        Some(words) => save.intent(words),
        None => save,
    };
    let saved = save.commit()?;
    // What is more than is kept goes before this ends.
    house.close()?;
    let engine = house.engine()?;
    let lost = before.filter(|_| guarded && intent.is_none());
    let lost = lost
        .iter()
        .flatten()
        .filter(|track| !after.contains(*track));
    let lost: Vec<&String> = lost.collect();
    if !lost.is_empty() {
        let query = Query {
            kinds: vec![Kind::Guard],
            limit: usize::MAX,
            ..Query::session(session)
        };
        let mut kept = Vec::new();
        for generation in engine.list(&query)?.snapshots {
            kept.extend(tracks(engine.restore(&generation.id.to_string())?.text()));
        }
        assert!(
            lost.iter().all(|track| kept.contains(track)),
            "{lost:?}, {kept:?}"
        );
    }
    Ok(saved.id.to_string())
}

/// A first history: three sessions, some of it packed, some in the trash, something purged, a log of every
/// verb, files, a policy, pins. Ends closed, at the returned time.
pub fn furnish(house: &mut House, saves: u64) -> u64 {
    let mut n = 0;
    let mut run = |house: &mut House, deed: &Deed| {
        n += 1;
        let answer = house.run(n, deed);
        answer.unwrap_or_else(|error| panic!("{deed:?}: {error}"));
    };
    for turn in 0..saves {
        for who in 0..3 {
            let name = (turn % 4 == 1).then(|| format!("n{turn}"));
            run(house, &Deed::Save { who, n: turn, name });
            if turn % 3 == 2 {
                // Nothing new: a snapshot without a record of its own.
                run(
                    house,
                    &Deed::Save {
                        who,
                        n: turn,
                        name: None,
                    },
                );
            }
        }
    }
    run(house, &Deed::Close);
    let session = |who: u64| format!("s/{who}");
    let at = |who: u64, back: u64| format!("s/{who}@-{back}");
    for (who, file) in [(0, 0), (1, 1)] {
        let reference = at(who, 3);
        run(house, &Deed::ToFile { reference, file });
        let reference = at(who, 1);
        run(house, &Deed::ToFile { reference, file });
        run(house, &Deed::Undo(session(who)));
    }
    run(house, &Deed::Redo(session(1)));
    for steps in [2, 1] {
        let session = session(2);
        run(house, &Deed::Rollback { session, steps });
    }
    run(house, &Deed::Undo(session(2)));
    run(house, &Deed::Redo(session(2)));
    run(house, &Deed::Undo(session(2)));
    for who in 0..3 {
        let reference = format!("s/{who}@turn:3");
        let pin = Deed::Pin {
            reference: reference.clone(),
            pinned: true,
        };
        run(house, &pin);
        let tag = "kept".to_owned();
        run(house, &Deed::Tag { reference, tag });
        // The record of one that is purged stays for the unchanged one after it.
        let own = format!("s/{who}@turn:2");
        let own = house.engine().unwrap().list(&dalsegno::Query {
            limit: usize::MAX,
            ..dalsegno::Query::session(&own[..3])
        });
        let page = own.unwrap().snapshots;
        let own = page.iter().filter_map(|s| s.same_as).min().unwrap();
        let references = vec![own.to_string(), at(who, 6), at(who, 5)];
        run(
            house,
            &Deed::Delete {
                references,
                grace: 0,
            },
        );
    }
    run(house, &Deed::Purge { all: false });
    for who in 0..3 {
        let references = vec![at(who, 4), at(who, 2)];
        let grace = 100_000;
        run(house, &Deed::Delete { references, grace });
    }
    for (who, turn) in (0..3).flat_map(|who| [(who, saves), (who, saves + 1)]) {
        let save = Deed::Save {
            who,
            n: turn,
            name: None,
        };
        run(house, &save);
    }
    let policy = |pattern: &str, keep_last| Deed::Policy {
        pattern: pattern.to_owned(),
        keep_last,
    };
    run(house, &policy("s/*", 12));
    run(house, &policy("s/2", 9));
    lose(house, &mut run);
    run(house, &Deed::Close);
    n
}

/// Two guarded sessions: one lost tracks by accident and on purpose, and went on; the other lost more often than is
/// kept, got some back, and lost again.
fn lose(house: &mut House, run: &mut dyn FnMut(&mut House, &Deed)) {
    run(house, &Deed::Guard { generations: 3 });
    let mut keep = |house: &mut House, who, n, intent: Option<&str>| {
        let intent = intent.map(str::to_owned);
        run(house, &Deed::Keep { who, n, intent });
    };
    keep(house, 0, 6, None);
    keep(house, 0, 9, None);
    keep(house, 0, 5, Some("undo"));
    keep(house, 0, 7, None);
    for n in [6, 5, 4, 3, 8] {
        keep(house, 1, n, None);
    }
    run(house, &Deed::Regain(guarded(1)));
    run(
        house,
        &Deed::Keep {
            who: 1,
            n: 4,
            intent: None,
        },
    );
}
