//! Snapshots out to JSON that other programs read, and back in.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::ops::ControlFlow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::codec::checksum;
use crate::codec::detail::Origin;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::list::Query;
use crate::model::{
    Action, Kind, Operation, Repaired, Snapshot, SnapshotId, check_session_name,
    check_snapshot_name,
};
use crate::save::Save;
use crate::show;
use crate::store::View;

/// The version of the export's shape.
const VERSION: u32 = 1;

/// One snapshot as exported: its metadata, and its state as the JSON it is.
#[derive(Serialize, Deserialize)]
struct Exported<'a> {
    id: String,
    /// The id it had where it was imported from, so that it is known again there.
    #[serde(default)]
    origin: Option<String>,
    session: String,
    name: Option<String>,
    label: Option<String>,
    description: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    metadata: Map<String, Value>,
    kind: String,
    created_at: Timestamp,
    turn: Option<i64>,
    schema_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    intent: Option<String>,
    #[serde(default)]
    pinned: bool,
    /// What of it is not as it was saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repaired: Option<Repaired>,
    /// Of the state's whole text, the white space around it included.
    checksum: String,
    /// White space before the state, which JSON in JSON has no place for.
    #[serde(default)]
    before: String,
    /// White space after it, such as the line's end.
    #[serde(default)]
    after: String,
    #[serde(borrow)]
    state: &'a RawValue,
}

#[derive(Deserialize)]
struct Export<'a> {
    dalsegno_export: u32,
    #[serde(borrow)]
    snapshots: Vec<Exported<'a>>,
}

/// What an import did.
#[derive(Debug, Clone, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Imported {
    /// The snapshots that were added.
    pub added: Vec<Snapshot>,
    /// How many were there already, from an earlier import or because they were never gone.
    pub present: u64,
}

impl Engine {
    /// Writes the snapshots of `session`, or of all sessions, oldest first, as one JSON object.
    /// Returns how many. Each state is proved before it is written.
    ///
    /// # Errors
    /// `NotFound` where there is no such session; `Damaged` where a state cannot be proved; `Storage`
    /// where `out` fails.
    pub fn export(&self, session: Option<&str>, out: &mut dyn Write) -> Result<u64> {
        self.export_with(session, out, &mut |_| {})
    }

    /// As [`export`](Engine::export); `progress` hears how many are written.
    ///
    /// # Errors
    /// As [`export`](Engine::export).
    pub fn export_with(
        &self,
        session: Option<&str>,
        out: &mut dyn Write,
        progress: &mut dyn FnMut(u64),
    ) -> Result<u64> {
        let failed = |e: std::io::Error| Error::io("writing the export", e);
        let mut query = Query {
            reverse: true,
            limit: 500,
            ..Query::default()
        };
        query.session = session.map(str::to_owned);
        let mut count = 0;
        let mut whole = Whole::begin(&*self.view()?)?;
        write!(out, "{{\"dalsegno_export\":{VERSION},\"snapshots\":[").map_err(failed)?;
        loop {
            let page = self.list(&query)?;
            if let Some(damaged) = page.damaged.first() {
                return Err(Error::damaged(format!(
                    "the row of snapshot {damaged} is damaged"
                )));
            }
            for snapshot in page.snapshots {
                whole.pass(&snapshot)?;
                out.write_all(if count == 0 { b"\n" } else { b",\n" })
                    .map_err(failed)?;
                self.export_one(snapshot, out)?;
                count += 1;
                progress(count);
            }
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => break,
            }
        }
        whole.end(session)?;
        out.write_all(b"\n]}\n").map_err(failed)?;
        out.flush().map_err(failed)?;
        Ok(count)
    }

    fn export_one(&self, snapshot: Snapshot, out: &mut dyn Write) -> Result<()> {
        let text = self.restore(&snapshot.id.to_string())?.into_text();
        let text = String::from_utf8(text)
            .map_err(|e| Error::damaged("a stored state is no text").with_source(e))?;
        let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
        let state = text.trim_matches(is_space);
        let start = text.find(|c| !is_space(c)).unwrap_or(0);
        let state: &RawValue = serde_json::from_str(state)
            .map_err(|e| Error::damaged("a stored state is no JSON").with_source(e))?;
        let exported = Exported {
            id: snapshot.id.to_string(),
            origin: match snapshot.operation {
                Some(Operation::Import { from }) => Some(from),
                _ => None,
            },
            session: snapshot.session,
            name: snapshot.name,
            label: snapshot.label,
            description: snapshot.description,
            tags: snapshot.tags,
            metadata: snapshot.metadata,
            kind: snapshot.kind.to_string(),
            created_at: snapshot.created_at,
            turn: snapshot.turn,
            schema_version: snapshot.schema_version,
            intent: snapshot.intent,
            pinned: snapshot.pinned,
            repaired: snapshot.repaired,
            checksum: snapshot.checksum,
            before: text.get(..start).unwrap_or_default().to_owned(),
            after: text
                .get(start + state.get().len()..)
                .unwrap_or_default()
                .to_owned(),
            state,
        };
        serde_json::to_writer(out, &exported)
            .map_err(|e| Error::storage(format!("writing the export: {e}")).with_source(e))
    }

    /// Adds the snapshots of an export. All of it is checked before anything is added; snapshots that
    /// are there already are passed over, so that an import that was interrupted can be repeated.
    ///
    /// # Errors
    /// `InvalidInput` where it is no export, or holds what cannot be saved; `Conflict` where a name is
    /// taken; `Damaged` where a state is not the one its checksum promises: nothing was added.
    /// Otherwise as [`Save::commit`](crate::Save::commit): what was added before stays.
    pub fn import(&self, text: &[u8]) -> Result<Imported> {
        self.import_with(text, &mut |_| {})
    }

    /// As [`import`](Engine::import); `progress` hears how many are added.
    ///
    /// # Errors
    /// As [`import`](Engine::import).
    pub fn import_with(&self, text: &[u8], progress: &mut dyn FnMut(u64)) -> Result<Imported> {
        let export: Export<'_> = serde_json::from_slice(text).map_err(|e| {
            Error::invalid(format!("this is no export of Dalsegno: {e}")).with_source(e)
        })?;
        if export.dalsegno_export != VERSION {
            let version = export.dalsegno_export;
            return Err(Error::invalid(format!(
                "the export has version {version}, not {VERSION}"
            )));
        }
        let states = export
            .snapshots
            .iter()
            .map(prove)
            .collect::<Result<Vec<_>>>()?;
        let mut imported = Imported::default();
        let mut present: HashSet<(String, String)> = HashSet::new();
        let sessions: HashSet<&str> = export
            .snapshots
            .iter()
            .map(|s| s.session.as_str())
            .collect();
        self.allow_all(Action::Import, sessions.iter().copied())?;
        for session in &sessions {
            if self.is_erased(session)? {
                return Err(Error::conflict(format!(
                    "session '{session}' was erased from this store, and an import does not bring it back; nothing was \
                     imported"
                )));
            }
        }
        for session in sessions {
            present.extend(self.origins(session)?);
        }
        let absent = |exported: &&Exported<'_>| {
            let known = |id: &String| present.contains(&(exported.session.clone(), id.clone()));
            !known(&exported.id) && !exported.origin.as_ref().is_some_and(known)
        };
        let names = export.snapshots.iter().filter(absent).map(Traits::from);
        self.check_names(names)?;
        let mut saves = Vec::with_capacity(states.len());
        for (exported, text) in export.snapshots.iter().zip(states) {
            if !absent(&exported) {
                imported.present += 1;
                continue;
            }
            let save = self.again(&Traits::from(exported), text);
            let save = save
                .and_then(|save| save.check().map(|()| save))
                .map_err(|e| e.context(format!("snapshot {} of the export", exported.id)))?;
            saves.push((&exported.id, save));
        }
        for (id, save) in saves {
            let saved = save.commit().map_err(|e| {
                let added = imported.added.len();
                e.context(format!("after {added} snapshots, importing {id}"))
            })?;
            imported.added.push(saved);
            progress(imported.added.len() as u64);
        }
        Ok(imported)
    }

    /// Refuses names that the sessions have already, or that stand twice.
    pub(crate) fn check_names<'a>(&self, all: impl Iterator<Item = Traits<'a>>) -> Result<()> {
        let view = self.view()?;
        let mut seen = HashSet::new();
        for of in all {
            let Some(name) = of.name else { continue };
            let id = &self.store().info().id;
            let session = show::session(&*view, id, of.session)?.map(|row| row.id);
            let mut taken = !seen.insert((of.session, name));
            for seq in view.named(name)? {
                taken |= view
                    .snapshot(seq)?
                    .is_some_and(|row| Some(row.session) == session);
            }
            if taken {
                return Err(Error::conflict(format!(
                    "session {} would have two snapshots named '{name}'; nothing was imported",
                    of.session
                )));
            }
        }
        Ok(())
    }

    /// The ids that the snapshots of a session have, or had where they were imported from.
    pub(crate) fn origins(&self, session: &str) -> Result<Vec<(String, String)>> {
        let mut query = Query {
            limit: usize::MAX,
            ..Query::session(session)
        };
        query.reverse = true;
        let page = match self.list(&query) {
            Err(error) if error.kind() == crate::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let ids = page.snapshots.into_iter().flat_map(|snapshot| {
            let from = match snapshot.operation {
                Some(Operation::Import { from }) => Some(from),
                _ => None,
            };
            [Some(snapshot.id.to_string()), from]
        });
        Ok(ids.flatten().map(|id| (session.to_owned(), id)).collect())
    }

    /// A save of a snapshot as it was elsewhere.
    ///
    /// # Errors
    /// `InvalidInput` where it says of a repair what none says.
    pub(crate) fn again(&self, of: &Traits<'_>, text: Vec<u8>) -> Result<Save<'_>> {
        // What stands beside the history stays there, or `SESSION@-N` would mean another state.
        let kind = of.kind.filter(|kind| !kind.is_history());
        let kind = kind.unwrap_or(Kind::Import);
        let mut save = self.save_json(of.session, text).kind(kind);
        if let Some(name) = of.name {
            save = save.name(name);
        }
        if let Some(label) = of.label {
            save = save.label(label);
        }
        if let Some(description) = of.description {
            save = save.description(description);
        }
        for tag in of.tags {
            save = save.tag(tag);
        }
        for (key, value) in of.metadata {
            save = save.meta(key, value.clone());
        }
        if of.pinned {
            save = save.pin();
        }
        if let Some(turn) = of.turn {
            save = save.turn(turn);
        }
        if let Some(version) = of.schema_version {
            save = save.schema_version(version);
        }
        if let Some(words) = of.intent {
            save = save.intent(words);
        }
        Ok(save
            .repaired(of.repaired)?
            .created_at(of.created_at)
            .origin(Origin::Import(of.id.clone())))
    }
}

/// What a snapshot was where it comes from, and what it is to be again.
pub(crate) struct Traits<'a> {
    id: String,
    session: &'a str,
    name: Option<&'a str>,
    label: Option<&'a str>,
    description: Option<&'a str>,
    tags: &'a [String],
    metadata: &'a Map<String, Value>,
    kind: Option<Kind>,
    created_at: Timestamp,
    turn: Option<i64>,
    schema_version: Option<&'a str>,
    intent: Option<&'a str>,
    pinned: bool,
    repaired: Option<&'a Repaired>,
}

impl<'a> Traits<'a> {
    /// The same in another session.
    pub(crate) fn within(self, session: &'a str) -> Self {
        Self { session, ..self }
    }
}

impl<'a> From<&'a Exported<'_>> for Traits<'a> {
    fn from(of: &'a Exported<'_>) -> Self {
        Self {
            id: of.id.clone(),
            session: &of.session,
            name: of.name.as_deref(),
            label: of.label.as_deref(),
            description: of.description.as_deref(),
            tags: &of.tags,
            metadata: &of.metadata,
            kind: of.kind.parse().ok(),
            created_at: of.created_at,
            turn: of.turn,
            schema_version: of.schema_version.as_deref(),
            intent: of.intent.as_deref(),
            pinned: of.pinned,
            repaired: of.repaired.as_ref(),
        }
    }
}

impl<'a> From<&'a Snapshot> for Traits<'a> {
    fn from(of: &'a Snapshot) -> Self {
        Self {
            id: of.id.to_string(),
            session: &of.session,
            name: of.name.as_deref(),
            label: of.label.as_deref(),
            description: of.description.as_deref(),
            tags: &of.tags,
            metadata: &of.metadata,
            kind: Some(of.kind),
            created_at: of.created_at,
            turn: of.turn,
            schema_version: of.schema_version.as_deref(),
            intent: of.intent.as_deref(),
            pinned: of.pinned,
            repaired: of.repaired.as_ref(),
        }
    }
}

/// Makes sure that an export leaves nothing out: no snapshot between two others, and none at the end.
struct Whole {
    /// By session, the newest snapshot when the export began.
    heads: HashMap<String, i64>,
    /// By session, the last that was exported.
    last: HashMap<String, SnapshotId>,
}

impl Whole {
    fn begin(view: &dyn View) -> Result<Self> {
        let mut heads = HashMap::new();
        view.sessions(&mut |row| {
            heads.insert(row.name, row.head);
            ControlFlow::Continue(())
        })?;
        let last = HashMap::new();
        Ok(Self { heads, last })
    }

    fn pass(&mut self, snapshot: &Snapshot) -> Result<()> {
        let before = self.last.insert(snapshot.session.clone(), snapshot.id);
        if before == snapshot.parent {
            return Ok(());
        }
        let id = snapshot.id;
        Err(Error::damaged(format!(
            "the snapshot before {id} is missing"
        )))
    }

    fn end(&self, session: Option<&str>) -> Result<()> {
        for (name, head) in &self.heads {
            let last = self.last.get(name).map_or(0, |id| id.seq());
            if session.is_none_or(|session| session == name) && last < *head {
                return Err(Error::damaged(format!(
                    "the newest snapshot of session {name} is missing"
                )));
            }
        }
        Ok(())
    }
}

/// The state's text, if it is the one that its checksum promises.
fn prove(exported: &Exported<'_>) -> Result<Vec<u8>> {
    check_session_name(&exported.session)?;
    if let Some(name) = &exported.name {
        check_snapshot_name(name)?;
    }
    let state = exported.state.get();
    let text = [exported.before.as_str(), state, exported.after.as_str()]
        .concat()
        .into_bytes();
    let sum: String = checksum::of(&text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if sum == exported.checksum {
        Ok(text)
    } else {
        Err(Error::damaged(format!(
            "snapshot {} of the export is not what its checksum promises; nothing was imported",
            exported.id
        )))
    }
}
