//! What a store held when it was whole, and the verdict on what it says after damage.

use std::collections::HashMap;

use dalsegno::{AuditEntry, AuditQuery, Engine, Error, Kind, Query, Snapshot, SnapshotId};
use jiff::Timestamp;

use crate::told::Told;
use crate::{Known, state};

/// Everything that an undamaged store says.
#[derive(Debug, Clone)]
pub struct Truth {
    /// In the order of commits.
    pub known: Vec<Known>,
    sessions: Vec<String>,
    /// What these mean.
    references: Vec<(String, SnapshotId)>,
    export: Vec<u8>,
    /// What was done to it, where that is asked for too.
    pub told: Option<Told>,
    log: Vec<AuditEntry>,
}

/// What became of the damage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: everything is right, and the store says that it is.
    Harmless,
    /// The store could not be opened; why.
    Closed(String),
    /// It opens, and `verify` names damage, or cannot do its work; why.
    Reported(String),
}

fn everything() -> Query {
    Query {
        limit: usize::MAX,
        reverse: true,
        ..Query::default()
    }
}

/// The rows of the audit log, and what of it cannot be read; not when, for the same is done more than once. What sessions
/// are called is asked for elsewhere.
fn log(engine: &Engine) -> dalsegno::Result<(Vec<AuditEntry>, Vec<String>)> {
    let mut page = engine.audit_log(&AuditQuery::default())?;
    for entry in &mut page.entries {
        entry.at = Timestamp::UNIX_EPOCH;
        entry.sessions.clear();
    }
    let damage = page.damage.into_iter().map(|it| it.message).collect();
    Ok((page.entries, damage))
}

impl Truth {
    /// # Panics
    /// Where the store is not whole.
    pub fn of(engine: &Engine) -> Self {
        let found = engine.verify(None).unwrap();
        assert!(found.is_intact(), "{:?}", found.damage);
        let snapshots = engine.list(&everything()).unwrap().snapshots;
        let known = snapshots.into_iter().map(|snapshot| {
            let restored = engine.restore(&snapshot.id.to_string()).unwrap();
            Known {
                snapshot,
                text: restored.into_text(),
            }
        });
        let known: Vec<Known> = known.collect();
        let sessions = engine.sessions().unwrap();
        let ends = ["latest", "-1", "-3", "turn:2"];
        let in_sessions = sessions
            .iter()
            .flat_map(|session| ends.map(|end| format!("{session}@{end}")));
        let named = known.iter().filter_map(|known| {
            let name = known.snapshot.name.as_ref()?;
            Some(format!("{}@{name}", known.snapshot.session))
        });
        let references = in_sessions
            .chain(named)
            .filter_map(|text| Some((engine.info(&text).ok()?.id, text)))
            .map(|(id, text)| (text, id))
            .collect();
        let mut export = Vec::new();
        engine.export(None, &mut export).unwrap();
        Self {
            known,
            sessions,
            references,
            export,
            told: None,
            log: log(engine).unwrap().0,
        }
    }

    /// Asks a store everything.
    ///
    /// # Errors
    /// What is wrong and was given out without an error, or is not as it should be although the
    /// store says that it is intact.
    pub fn judge(&self, opened: dalsegno::Result<Engine>) -> Result<Verdict, String> {
        let engine = match opened {
            Ok(engine) => engine,
            Err(error) => return Ok(Verdict::Closed(shown(&error))),
        };
        let verified = engine.verify(None);
        let mut complaints = Vec::new();
        let reported = match &verified {
            Ok(found) if found.is_intact() => None,
            Ok(found) => Some(found.damage[0].message.clone()),
            Err(error) => Some(shown(error)),
        };
        self.ask_each(&engine, &mut complaints)?;
        self.ask_all(&engine, &mut complaints)?;
        self.ask_log(&engine, &mut complaints)?;
        if let Some(told) = &self.told {
            told.ask(&engine, &mut complaints)?;
            told.regain(&engine, &mut complaints)?;
            told.undelete(&engine, &mut complaints)?;
        }
        match (reported, complaints.first()) {
            (None, None) => Ok(Verdict::Harmless),
            (Some(why), _) => Ok(Verdict::Reported(why)),
            (None, Some(complaint)) => Err(format!("intact, it says, but {complaint}")),
        }
    }

    /// Every row of the audit log as it was, or an error.
    fn ask_log(&self, engine: &Engine, complaints: &mut Vec<String>) -> Result<(), String> {
        let (mut found, damage) = match log(engine) {
            Ok(found) => found,
            Err(error) => {
                complaints.push(shown(&error));
                return Ok(());
            }
        };
        // What was done since.
        let last = self.log.first().map_or(0, |entry| entry.number);
        found.retain(|entry| entry.number <= last);
        if let Some(odd) = found.iter().find(|entry| !self.log.contains(entry)) {
            return Err(format!("the audit log says {odd:?}"));
        }
        complaints.extend(damage);
        if found.len() < self.log.len() {
            complaints.push("rows of the audit log are missing".to_owned());
        }
        Ok(())
    }

    /// Snapshot by snapshot, each as it was or an error.
    fn ask_each(&self, engine: &Engine, complaints: &mut Vec<String>) -> Result<(), String> {
        for Known { snapshot, text } in &self.known {
            let id = snapshot.id.to_string();
            match engine.info(&id) {
                Ok(found) if found == *snapshot => {}
                Ok(found) => return Err(format!("{found:?} instead of {snapshot:?}")),
                Err(error) => complaints.push(shown(&error)),
            }
            match engine.restore(&id) {
                Ok(found) if found.text() != text => return Err(format!("another text for {id}")),
                Ok(found) if found.snapshot() == snapshot => {}
                Ok(found) => return Err(format!("{:?} instead of {snapshot:?}", found.snapshot())),
                Err(error) => complaints.push(shown(&error)),
            }
        }
        Ok(())
    }

    /// What is said of many: nothing in it is wrong, and where the store is intact nothing missing.
    fn ask_all(&self, engine: &Engine, complaints: &mut Vec<String>) -> Result<(), String> {
        let by_id: HashMap<SnapshotId, &Snapshot> = self
            .known
            .iter()
            .map(|known| (known.snapshot.id, &known.snapshot))
            .collect();
        for (reference, id) in &self.references {
            match engine.info(reference) {
                Ok(found) if by_id.get(&found.id) != Some(&&found) => {
                    return Err(format!("{reference}: {found:?} is no snapshot"));
                }
                Ok(found) if found.id != *id => {
                    return Err(format!("{reference} is {}, not {id}", found.id));
                }
                Ok(_) => {}
                Err(error) => complaints.push(shown(&error)),
            }
        }
        match engine.sessions() {
            Ok(names) if names == self.sessions => {}
            Ok(names) if names.iter().all(|name| self.sessions.contains(name)) => {
                complaints.push("a session is missing".to_owned());
            }
            Ok(names) => return Err(format!("{names:?} are no sessions")),
            Err(error) => complaints.push(shown(&error)),
        }
        let all = [everything()].into_iter();
        let queries = all.chain(self.sessions.iter().map(|name| Query {
            session: Some(name.clone()),
            ..everything()
        }));
        for query in queries {
            let page = match engine.list(&query) {
                Ok(page) => page,
                Err(error) => {
                    complaints.push(shown(&error));
                    continue;
                }
            };
            for found in &page.snapshots {
                if by_id.get(&found.id) != Some(&found) {
                    return Err(format!("{found:?} is listed and is no snapshot"));
                }
                if query
                    .session
                    .as_ref()
                    .is_some_and(|name| found.session != *name)
                {
                    return Err(format!("{found:?} is of another session"));
                }
            }
            let of = |known: &&Known| {
                query
                    .session
                    .as_ref()
                    .is_none_or(|name| known.snapshot.session == *name)
            };
            let ids = self.known.iter().filter(of).map(|known| known.snapshot.id);
            if !page.snapshots.iter().map(|s| s.id).eq(ids) || !page.damaged.is_empty() {
                complaints.push("a listing is not complete".to_owned());
            }
        }
        let mut export = Vec::new();
        match engine.export(None, &mut export) {
            Ok(_) if export == self.export => {}
            Ok(_) => return Err("another export than before".to_owned()),
            Err(error) => complaints.push(shown(&error)),
        }
        Ok(())
    }

    /// Saves to every session of a damaged store, and looks again: a save is refused or is there, and
    /// whatever else is there is what it was. Returns how many were taken. `sound` is a file whose
    /// structure is.
    ///
    /// # Errors
    /// What is wrong, and was given out without an error.
    pub fn save_on_top(
        &self,
        opened: dalsegno::Result<Engine>,
        sound: bool,
    ) -> Result<usize, String> {
        let Ok(engine) = opened else { return Ok(0) };
        let texts = |engine: &Engine| -> Vec<Option<Vec<u8>>> {
            let text = |known: &Known| engine.restore(&known.snapshot.id.to_string()).ok();
            let texts = self.known.iter().map(text);
            texts
                .map(|found| found.map(dalsegno::Restored::into_text))
                .collect()
        };
        let before = texts(&engine);
        let mut taken = Vec::new();
        for session in &self.sessions {
            for n in 100..102 {
                let text = state(7, n);
                if let Ok(snapshot) = engine.save_json(session, text.clone()).commit() {
                    if snapshot.session != *session {
                        return Err(format!("{snapshot:?} was saved to {session}"));
                    }
                    taken.push(Known { snapshot, text });
                }
            }
        }
        let mut lost = None;
        for Known { snapshot, text } in &taken {
            match engine.restore(&snapshot.id.to_string()) {
                Ok(found) if found.snapshot() == snapshot && found.text() == text => {}
                Ok(found) => return Err(format!("{:?} instead of {snapshot:?}", found.snapshot())),
                Err(error) => lost = Some(error),
            }
        }
        let after = texts(&engine);
        for (found, known) in before.iter().chain(&after).zip(self.known.iter().cycle()) {
            if found.as_ref().is_some_and(|text| *text != known.text) {
                return Err(format!("another text for {}", known.snapshot.id));
            }
        }
        // Where the structure of a page is damaged, SQLite itself may lose rows when it writes to it.
        let intact = engine.verify(None).is_ok_and(|found| found.is_intact());
        // A loss keeps a fuller state, and those that are more than is kept go.
        let thinned = |known: &Known| {
            let found = engine.info(&known.snapshot.id.to_string());
            let in_trash = |error: Error| error.to_string().contains("is in the trash");
            known.snapshot.kind == Kind::Guard && found.is_err_and(in_trash)
        };
        let mut states = before.iter().zip(&after).zip(&self.known);
        let gone = states
            .any(|((before, after), known)| before.is_some() && after.is_none() && !thinned(known));
        if (sound || intact) && (lost.is_some() || gone) {
            return Err(format!(
                "saving lost what was there, or was acknowledged: {lost:?}"
            ));
        }
        drop(engine.close());
        Ok(taken.len())
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// After a loss of the last commits: the first so many snapshots, exactly.
    pub fn first(&self, count: usize) -> &[Known] {
        &self.known[..count.min(self.known.len())]
    }
}

fn shown(error: &Error) -> String {
    format!("{}: {error}", error.kind())
}

/// Each of these is there, with its metadata and byte for byte.
///
/// # Errors
/// Which one is not.
pub fn all_there(engine: &Engine, known: &[Known]) -> Result<(), String> {
    for Known { snapshot, text } in known {
        let found = engine
            .restore(&snapshot.id.to_string())
            .map_err(|error| format!("{} was acknowledged: {error}", snapshot.id))?;
        if found.snapshot() != snapshot || found.text() != text {
            return Err(format!("{:?} instead of {snapshot:?}", found.snapshot()));
        }
    }
    Ok(())
}
