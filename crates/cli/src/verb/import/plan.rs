//! What an import would do, found out without doing it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use dalsegno::clock::SystemClock;
use dalsegno::store::MemoryStore;
use dalsegno::{Engine, ErrorKind, Operation, Options, Query};
use serde::Deserialize;

use crate::failure::{Failure, Result};
use crate::human;

/// What an import would do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// How many snapshots of the export are in the store already.
    pub(super) present: u64,
    /// How many would be added to each session.
    pub(super) sessions: BTreeMap<String, u64>,
    /// Names that are taken, in words.
    pub(super) conflicts: Vec<String>,
}

/// The part of an export that a plan needs.
#[derive(Deserialize)]
struct Export {
    snapshots: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: String,
    session: String,
    name: Option<String>,
}

impl Plan {
    /// Compares the export with what is in the store.
    pub(super) fn make(engine: &Engine, text: &[u8]) -> Result<Self> {
        let export: Export = serde_json::from_slice(text).map_err(|e| {
            Failure::new(
                ErrorKind::InvalidInput,
                format!("this is no export of Dalsegno: {e}"),
            )
        })?;
        let mut ids = HashSet::new();
        let mut names = HashSet::new();
        let sessions: HashSet<&str> = export
            .snapshots
            .iter()
            .map(|e| e.session.as_str())
            .collect();
        for session in sessions {
            known(engine, session, &mut ids, &mut names)?;
        }
        let mut plan = Self::default();
        for entry in export.snapshots {
            let Entry { id, session, name } = entry;
            if ids.contains(&(session.clone(), id)) {
                plan.present += 1;
                continue;
            }
            *plan.sessions.entry(session.clone()).or_default() += 1;
            if let Some(name) = name
                && !names.insert((session.clone(), name.clone()))
            {
                plan.conflicts.push(format!(
                    "session {} would have two snapshots named '{}'",
                    human::safe(&session),
                    human::safe(&name)
                ));
            }
        }
        Ok(plan)
    }

    /// How many would be added.
    pub(super) fn absent(&self) -> u64 {
        self.sessions.values().sum()
    }
}

/// The ids that the session's snapshots have or had where they came from, and their names.
fn known(
    engine: &Engine,
    session: &str,
    ids: &mut HashSet<(String, String)>,
    names: &mut HashSet<(String, String)>,
) -> Result<()> {
    let mut query = Query {
        limit: 1000,
        ..Query::session(session)
    };
    loop {
        let page = match engine.list(&query) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        for snapshot in page.snapshots {
            ids.insert((session.to_owned(), snapshot.id.to_string()));
            if let Some(Operation::Import { from }) = snapshot.operation {
                ids.insert((session.to_owned(), from));
            }
            names.extend(snapshot.name.map(|name| (session.to_owned(), name)));
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(()),
        }
    }
}

/// Imports into a store in memory, which finds everything that is wrong with the export itself.
pub(super) fn rehearse(text: &[u8]) -> Result<()> {
    let engine = Options::default().on(Arc::new(MemoryStore::new(&SystemClock)));
    engine.import(text)?;
    Ok(())
}
