//! What a watch does for other programs that ask for a session of its own: the file gets the new state.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dalsegno::{
    Attendant, Engine, Error, ErrorKind, Kind, Reply, Request, Restored, Result, durable,
};

use crate::hands::Hands;
use crate::keep;
use crate::lines;
use crate::name::Format;

/// Attends to requests for the sessions of a watch: [`Watch::attendant`](crate::Watch::attendant) gives it.
///
/// What is asked for (a rollback, an undo, a `guard_restore` …) becomes the session's newest state, and then the file's.
/// What stood in the file and was not kept yet is kept first, as a snapshot of kind `safety`.
pub struct Files {
    engine: Arc<Engine>,
    folders: Vec<PathBuf>,
    hands: Arc<Hands>,
}

impl Files {
    /// For the files in `folders`; no other file is ever written.
    pub(crate) fn new(engine: Arc<Engine>, folders: Vec<PathBuf>, hands: Arc<Hands>) -> Self {
        Self {
            engine,
            folders,
            hands,
        }
    }

    /// The file that a session is of, where it is in one of the folders.
    fn file(&self, session: &str) -> Result<PathBuf> {
        let place = keep::place(&self.engine, session)?
            .filter(|place| place.is_below() && self.folders.contains(&place.folder));
        let place = place.ok_or_else(|| {
            let message = format!("session {session} is of no file that is watched here");
            Error::new(ErrorKind::NotFound, message)
        })?;
        let file = place.folder.join(&place.relative);
        let folder = durable::folder_of(&file);
        let real =
            fs::canonicalize(&folder).map_err(|e| Error::io(format!("{}", folder.display()), e))?;
        if self.folders.iter().any(|it| real.starts_with(it)) && !file.is_symlink() {
            return Ok(file);
        }
        let message = format!("{} leads out of the watched folder", file.display());
        Err(Error::new(ErrorKind::Denied, message))
    }

    /// Keeps what stands in the file, where that is another state.
    fn keep(&self, session: &str, file: &Path, text: &[u8]) -> Result<()> {
        let Some(there) = read(file)? else {
            return Ok(());
        };
        if there == text {
            return Ok(());
        }
        let save = self.engine.save_json(session, there).kind(Kind::Safety);
        let shown = file.display();
        let saved = save
            .description(format!("{shown} before it was asked for"))
            .commit();
        saved.map(drop).map_err(|error| {
            error.context(format!(
                "{shown} was left as it is: what stands there cannot be kept first (`watch restore` does that)"
            ))
        })
    }
}

impl Attendant for Files {
    fn asked(&mut self, request: &Request) -> Result<Reply> {
        self.hands.begin(&request.session);
        Ok(Reply::CarryOut)
    }

    fn failed(&mut self, request: &Request, _: &Error) {
        self.hands.end(&request.session);
    }

    fn load(&mut self, request: &Request, state: &Restored) -> Result<bool> {
        let loaded = self.write(request, state);
        self.hands.end(&request.session);
        loaded.map(|()| true)
    }
}

impl Files {
    /// Puts the state into the file.
    fn write(&self, request: &Request, state: &Restored) -> Result<()> {
        let file = self.file(&request.session)?;
        self.keep(&request.session, &file, state.text())?;
        let bytes = match Format::of(&file) {
            Format::Json => state.text().to_vec(),
            Format::Jsonl => lines::from_json(state.text())?,
        };
        durable::write_like(&file, &file, |out| {
            out.write_all(&bytes)
                .map_err(|e| Error::io(format!("writing {}", file.display()), e))
        })?;
        match read(&file)? {
            Some(there) if there == state.text() => Ok(()),
            // The program that the file is of wrote it at once.
            _ => {
                let message = format!("{} was changed again meanwhile", file.display());
                Err(Error::new(ErrorKind::Conflict, message))
            }
        }
    }
}

/// What stands in a file, as it would be kept; nothing where there is none.
fn read(file: &Path) -> Result<Option<Vec<u8>>> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(format!("reading {}", file.display()), e)),
    };
    Ok(Some(match Format::of(file) {
        Format::Json => bytes,
        // Torn, it is no JSON either way.
        Format::Jsonl => lines::to_json(&bytes).unwrap_or(bytes),
    }))
}
