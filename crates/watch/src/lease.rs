//! While a watch runs, the sessions that it keeps are its own: no other program writes them, and there is no second
//! watch of its folders.

use std::collections::HashMap;
use std::path::Path;

use dalsegno::{Error, ErrorKind, Result};
use twox_hash::XxHash3_128;

use crate::watch::Watch;

/// The longest name that the lease of a folder gets as it is.
const MAX_NAME: usize = 200;

impl Watch<'_> {
    /// Takes the folders, so that no other watch does.
    ///
    /// # Errors
    /// `Locked`, with a message that names the other watch; others as [`dalsegno::Engine::open_session`].
    pub(crate) fn take_folders(&mut self) -> Result<()> {
        if self.settings.dry_run {
            return Ok(());
        }
        let folders: Vec<_> = self.folders.iter().map(|it| it.path.clone()).collect();
        for folder in folders {
            let name = lease_of(&folder);
            match self.engine.open_session(&name) {
                Ok(_) => {
                    self.leased.insert(name);
                }
                Err(error) if error.kind() == ErrorKind::Locked => {
                    let holder = self.holder(&name);
                    self.leave();
                    let message = format!(
                        "{} is being watched already, by {}; end that watch first, or watch another folder",
                        folder.display(),
                        holder.as_deref().unwrap_or("another program"),
                    );
                    return Err(Error::new(ErrorKind::Locked, message));
                }
                Err(error) => {
                    self.leave();
                    return Err(error.context(folder.display()));
                }
            }
        }
        Ok(())
    }

    /// The program that has a session open, for people.
    fn holder(&self, session: &str) -> Option<String> {
        let holders = self.engine.holders().ok()?;
        let holder = holders.into_iter().find(|it| it.session == session)?;
        let program = holder.program?;
        Some(match holder.pid {
            Some(pid) => format!("{program} (process {pid})"),
            None => program,
        })
    }

    /// Takes those of the sessions that are not the watch's own yet, all at once, and says which it did not get and
    /// how many an earlier program left open.
    pub(crate) fn take(
        &mut self,
        sessions: Vec<String>,
    ) -> Result<(HashMap<String, Error>, usize)> {
        let mut refused = HashMap::new();
        let mut left_open = 0;
        if self.settings.dry_run {
            return Ok((refused, left_open));
        }
        let mut sessions = sessions;
        sessions.retain(|session| !self.leased.contains(session));
        sessions.sort_unstable();
        sessions.dedup();
        if sessions.is_empty() {
            return Ok((refused, left_open));
        }
        let opened = self.engine.open_together(&sessions)?;
        for (session, opened) in sessions.into_iter().zip(opened) {
            match opened {
                Ok(opened) => {
                    left_open += usize::from(!opened.was_closed);
                    self.leased.insert(session);
                }
                Err(error) => drop(refused.insert(session, error)),
            }
        }
        Ok((refused, left_open))
    }

    /// Another program took the session; the watch takes it again when that one is done with it.
    pub(crate) fn lost(&mut self, session: &str) {
        if self.leased.remove(session) {
            // It says that it is lost, which is known.
            let _lost = self.engine.close_session(session);
        }
    }

    /// Gives back the sessions whose files are gone.
    pub(crate) fn let_go(&mut self) {
        let mut gone = std::mem::take(&mut self.gone);
        gone.retain(|session| self.leased.remove(session));
        if !gone.is_empty() {
            // What could not be closed is open until the watch ends, and `recover` finds it then.
            let _later = self.engine.close_together(&gone);
        }
    }

    /// Gives everything back.
    pub(crate) fn leave(&mut self) {
        let all: Vec<String> = self.leased.drain().collect();
        if !all.is_empty() {
            // As above.
            let _later = self.engine.close_together(&all);
        }
    }
}

/// The name of the lease of a watched folder. No file is watched whose session has such a name.
fn lease_of(folder: &Path) -> String {
    let shown = folder.to_string_lossy();
    let plain = shown.len() <= MAX_NAME && !shown.chars().any(char::is_control);
    match folder.to_str() {
        Some(path) if plain => format!(".watch{path}"),
        _ => {
            let bytes = folder.as_os_str().as_encoded_bytes();
            format!(".watch/{:032x}", XxHash3_128::oneshot(bytes))
        }
    }
}
