//! Keeping a file's state: whether it is one to keep, and the one function that saves.

use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use dalsegno::{
    Engine, ErrorKind, Kind, LogEntry, Query, Result, Save, Snapshot, SnapshotId, Status, Target,
    Verb,
};
use serde_json::{Map, Value, json};
use twox_hash::XxHash3_128;

use crate::facts::Facts;
use crate::name::Format;

/// The key of a snapshot's metadata under which stands which file it was.
const KEY: &str = "watch";

/// The key under which stands which session it was before.
pub(crate) const RENAMED: &str = "renamed_from";

/// So many entries of a session's log are looked at for what was put back.
const LOOK_BACK: usize = 8;

/// A file's state that is to be kept.
pub(crate) struct Change {
    pub(crate) session: String,
    /// JSON, whatever the file is.
    pub(crate) text: Bytes,
    pub(crate) place: Place,
    pub(crate) format: Format,
    /// What the file was like, if it had settled.
    pub(crate) facts: Option<Facts>,
    pub(crate) renamed_from: Option<String>,
}

/// Which file a session is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The watched folder.
    pub(crate) folder: PathBuf,
    /// The file, relative to it.
    pub(crate) relative: PathBuf,
}

impl Place {
    /// Whether the file is below the folder: whoever can write a store should not thereby write any file.
    pub(crate) fn is_below(&self) -> bool {
        let mut parts = self.relative.components();
        parts.all(|part| matches!(part, Component::Normal(_)))
            && self.relative.file_name().is_some()
    }
}

/// The file of a session, as its newest snapshot that came from a watch says; nothing where none of the newest 1,000
/// did.
pub(crate) fn place(engine: &Engine, session: &str) -> Result<Option<Place>> {
    let query = Query {
        limit: 1_000,
        ..Query::session(session)
    };
    let page = engine.list(&query)?;
    Ok(page
        .snapshots
        .iter()
        .find_map(Kept::of)
        .map(|kept| kept.place))
}

/// What stands in a snapshot's metadata.
pub(crate) struct Kept {
    pub(crate) place: Place,
    pub(crate) facts: Option<Facts>,
}

impl Kept {
    pub(crate) fn of(snapshot: &Snapshot) -> Option<Self> {
        let kept = snapshot.metadata.get(KEY)?.as_object()?;
        let path = |name: &str| kept.get(name)?.as_str().map(PathBuf::from);
        Some(Self {
            place: Place {
                folder: path("folder")?,
                relative: path("file")?,
            },
            facts: Facts::read(kept),
        })
    }
}

/// The one place where a watched file's state goes to the store.
pub(crate) fn save(engine: &Engine, change: Change) -> Save<'_> {
    let mut kept = Map::new();
    let shown = |path: &Path| json!(path.to_string_lossy());
    kept.insert("folder".to_owned(), shown(&change.place.folder));
    kept.insert("file".to_owned(), shown(&change.place.relative));
    kept.insert("format".to_owned(), json!(change.format));
    if let Some(facts) = change.facts {
        facts.write(&mut kept);
    }
    let save = engine
        .save_json(&change.session, change.text)
        .kind(Kind::Auto)
        .meta(KEY, Value::Object(kept));
    match change.renamed_from {
        Some(before) => save.meta(RENAMED, before),
        None => save,
    }
}

/// What a file's text is to its session.
pub(crate) enum Verdict {
    /// It is what was put back there since something was saved last.
    PutBack(Verb, SnapshotId),
    /// It is the newest state.
    Unchanged(SnapshotId),
    /// It is to be kept.
    New {
        /// The session's newest snapshot, if it has one.
        newest: Option<SnapshotId>,
    },
}

/// What `text`, as the engine would keep it, is to `session`, whose file stands at `file`.
///
/// # Errors
/// As the store answers; what is damaged is no error, because then the state is to be kept.
pub(crate) fn judge(engine: &Engine, session: &str, file: &Path, text: &[u8]) -> Result<Verdict> {
    let Some(newest) = newest(engine, session)? else {
        return Ok(Verdict::New { newest: None });
    };
    let checksum = checksum(text);
    for (verb, from) in put_back(engine, session, file)? {
        if info(engine, from)?.is_some_and(|it| it.checksum == checksum) {
            return Ok(Verdict::PutBack(verb, from));
        }
    }
    if newest.checksum == checksum {
        return Ok(Verdict::Unchanged(newest.id));
    }
    Ok(Verdict::New {
        newest: Some(newest.id),
    })
}

/// A text's checksum as snapshots have it.
fn checksum(text: &[u8]) -> String {
    format!("{:032x}", XxHash3_128::oneshot(text))
}

/// The session's newest snapshot, if there is one that can be read.
pub(crate) fn newest(engine: &Engine, session: &str) -> Result<Option<Snapshot>> {
    readable(engine.info(&format!("{session}@latest")))
}

/// The names of all sessions; none where one of them is damaged, so that nobody knows all.
pub(crate) fn sessions(engine: &Engine) -> Result<Option<Vec<String>>> {
    readable(engine.sessions())
}

fn info(engine: &Engine, id: SnapshotId) -> Result<Option<Snapshot>> {
    readable(engine.info(&id.to_string()))
}

fn readable<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::Damaged) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What was put back into the file since something was saved last, the newest first: while a file is read, it may
/// be put back once more.
fn put_back(engine: &Engine, session: &str, file: &Path) -> Result<Vec<(Verb, SnapshotId)>> {
    let log = readable(engine.log(session, LOOK_BACK))?.unwrap_or_default();
    let mut found = Vec::new();
    for entry in log {
        match entry {
            LogEntry::Operation {
                verb,
                status: Status::Done | Status::Begun,
                from: Some(from),
                components,
                target,
                ..
            } if components.is_empty() && is_into(&target, file) => found.push((verb, from)),
            LogEntry::Operation { .. } => {}
            _ => break,
        }
    }
    Ok(found)
}

fn is_into(target: &Target, file: &Path) -> bool {
    match target {
        Target::File(path) => is_same(path, file),
        Target::Other(name) => {
            crate::restore::file_of(name).is_some_and(|path| is_same(path, file))
        }
        _ => false,
    }
}

fn is_same(path: &Path, file: &Path) -> bool {
    path == file || std::fs::canonicalize(path).is_ok_and(|path| path == file)
}
