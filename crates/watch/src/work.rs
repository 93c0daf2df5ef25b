//! Doing what is due: looking, reading, judging, saving, telling.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dalsegno::clock::SystemClock;
use dalsegno::store::MemoryStore;
use dalsegno::{Engine, Error, ErrorKind, MAX_SIZE, Options, Result, SnapshotId, Ticket};
use twox_hash::XxHash3_128;

use crate::event::Event;
use crate::facts::Facts;
use crate::keep::{self, Change, Kept, Place, Verdict};
use crate::lines;
use crate::name::Format;
use crate::read::{Content, Expected, Look, look, read};
use crate::settle::{Action, File, Outcome};
use crate::watch::{SPECIAL, SYMBOLIC_LINK, Told, Watch};

/// So many files, and bytes of files, are read before their saves are waited for: they share a commit, and
/// memory stays bounded.
const MAX_FILES: usize = 64;
const MAX_BYTES: u64 = 32 << 20;

/// What was written just now is waited for that long when the watch ends.
const LAST_WAIT: Duration = Duration::from_millis(25);

/// A save on its way.
struct Saving {
    file: File,
    ticket: Ticket,
    text: Bytes,
    size: u64,
    facts: Facts,
    hasty: bool,
    quiet: bool,
    newest: Option<SnapshotId>,
}

/// What came of taking a file in.
enum Taken {
    Saving(Saving),
    Settled,
    Moved,
}

impl Watch<'_> {
    /// Does what is due: all of it, or as much as is read at once.
    pub(crate) fn work(&mut self, told: Told<'_>) {
        let mut savings = Vec::new();
        let mut bytes = 0_u64;
        while savings.len() < MAX_FILES && bytes < MAX_BYTES {
            match self.settling.next(self.inbox.now()) {
                Some(Action::Look(file)) => self.look_at(&file, told),
                Some(Action::Gone(file)) => self.gone(&file, told),
                Some(Action::Read { file, facts, hasty }) => {
                    bytes = bytes.saturating_add(facts.size);
                    if let Taken::Saving(saving) = self.take_in(&file, facts, hasty, hasty, told) {
                        savings.push(saving);
                    }
                }
                None => break,
            }
        }
        for saving in savings {
            self.finish(saving, told);
        }
    }

    /// Reads what has not settled yet, and never will while it is watched.
    pub(crate) fn finish_pending(&mut self, told: Told<'_>) {
        let mut pending: Vec<File> = self.settling.pending().cloned().collect();
        pending.sort_unstable();
        let mut gone = Vec::new();
        for last in [false, true] {
            let mut moving = Vec::new();
            let mut savings = Vec::new();
            let mut bytes = 0_u64;
            for file in pending {
                let Ok(Look::File(facts)) = look(&file) else {
                    gone.push(file);
                    continue;
                };
                if self.settling.done(&file) == Some(facts) {
                    continue;
                }
                bytes = bytes.saturating_add(facts.size);
                match self.take_in(&file, facts, true, false, told) {
                    Taken::Saving(saving) => savings.push(saving),
                    Taken::Settled => {}
                    Taken::Moved => moving.push(file),
                }
                if savings.len() >= MAX_FILES || bytes >= MAX_BYTES {
                    bytes = 0;
                    for saving in std::mem::take(&mut savings) {
                        self.finish(saving, told);
                    }
                }
            }
            for saving in savings {
                self.finish(saving, told);
            }
            pending = moving;
            if last || pending.is_empty() {
                break;
            }
            std::thread::sleep(LAST_WAIT);
        }
        for file in pending {
            let error = Error::new(
                ErrorKind::Conflict,
                "it was being written until the end; the next watch reads it",
            );
            self.unreadable(&file, &error, told);
        }
        // After those that took their place.
        for file in gone {
            self.gone(&file, told);
        }
    }

    fn look_at(&mut self, file: &File, told: Told<'_>) {
        let now = self.inbox.now();
        let facts = match look(file) {
            Ok(Look::File(facts)) => Some(facts),
            Ok(Look::Nothing | Look::Folder) => None,
            Ok(Look::Link) => {
                self.skip(file, SYMBOLIC_LINK, told);
                None
            }
            Ok(Look::Special) => {
                self.skip(file, SPECIAL, told);
                None
            }
            Err(error) => {
                self.unreadable(file, &error, told);
                self.settling.done(file)
            }
        };
        self.settling.seen(file, facts, now);
        if facts.is_none() && self.settling.done(file).is_none() {
            self.about.remove(file);
        }
    }

    /// A file is gone, unless it came again meanwhile.
    fn gone(&mut self, file: &File, told: Told<'_>) {
        if let Ok(Look::File(_)) = look(file) {
            let now = self.inbox.now();
            return self.settling.happened(file, now);
        }
        self.inodes.retain(|_, known| known != file);
        let Some(about) = self.about.remove(file) else {
            return;
        };
        if about.moved_on {
            return;
        }
        let last = self.last_good(&about.session);
        told(&Event::Deleted {
            file: file.to_path_buf(),
            session: about.session,
            last,
        });
    }

    /// Reads a file and hands it to the store, if it is to be kept. A quiet reading does not tell what is torn: it
    /// may be in the middle of being written.
    fn take_in(
        &mut self,
        file: &File,
        facts: Facts,
        hasty: bool,
        quiet: bool,
        told: Told<'_>,
    ) -> Taken {
        let Some(about) = self.about.get(file) else {
            self.settling.forget(file);
            return Taken::Settled;
        };
        let expected = if hasty {
            Expected::Any
        } else {
            Expected::As(facts)
        };
        let content = read(self.folder(about.folder), &about.relative, &expected);
        let (bytes, facts) = match content {
            Ok(Content::Whole(bytes, facts)) => (bytes, facts),
            Ok(Content::Moved(facts)) => {
                self.settling
                    .read(file, Outcome::Moved(facts), self.inbox.now());
                return Taken::Moved;
            }
            Ok(Content::TooLarge(facts)) => {
                let message = format!("it has {} bytes; the limit is {MAX_SIZE}", facts.size);
                let hash = u128::from(facts.size);
                return self.torn(file, facts, quiet, hash, &message, told);
            }
            Err(error) => {
                self.unreadable(file, &error, told);
                self.settling.read(file, Outcome::Failed, self.inbox.now());
                return Taken::Settled;
            }
        };
        let size = facts.size;
        let text = match self.as_json(file, bytes) {
            Ok(text) => text,
            Err((hash, error)) => {
                return self.torn(file, facts, quiet, hash, &error.to_string(), told);
            }
        };
        let saving = self.judge(file, &text, facts, told).and_then(|newest| {
            let Some(newest) = newest else {
                return Ok(None);
            };
            if self.settings.dry_run {
                self.rehearse(file, &text, size, newest.is_none(), told)?;
                return Ok(None);
            }
            let ticket = self.submit(file, text.clone(), (!hasty).then_some(facts));
            Ok(ticket.map(|ticket| Saving {
                file: Arc::clone(file),
                ticket,
                text: text.clone(),
                size,
                facts,
                hasty,
                quiet,
                newest,
            }))
        });
        match saving {
            Ok(Some(saving)) => Taken::Saving(saving),
            Ok(None) => {
                self.done(file, facts);
                Taken::Settled
            }
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                let hash = XxHash3_128::oneshot(&text);
                self.torn(file, facts, quiet, hash, &error.to_string(), told)
            }
            Err(error) => {
                self.not_saved(file, &error, told);
                Taken::Settled
            }
        }
    }

    /// The text as the engine keeps it, or the bytes' hash and what is wrong with them.
    fn as_json(&mut self, file: &File, bytes: Vec<u8>) -> Result<Bytes, (u128, Error)> {
        if Format::of(file) == Format::Json {
            return Ok(bytes.into());
        }
        let about = self.about.get_mut(file);
        let known = about.as_ref().and_then(|about| about.checked);
        match lines::with_checked(&bytes, known.as_ref()) {
            Ok((text, checked)) => {
                if let Some(about) = about {
                    about.checked = Some(checked);
                }
                Ok(text.into())
            }
            Err(error) => Err((XxHash3_128::oneshot(&bytes), error)),
        }
    }

    /// Whether a text is to be kept, and the session's newest snapshot then.
    fn judge(
        &mut self,
        file: &File,
        text: &[u8],
        facts: Facts,
        told: Told<'_>,
    ) -> Result<Option<Option<SnapshotId>>> {
        let Some(about) = self.about.get(file) else {
            return Ok(None);
        };
        let session = about.session.clone();
        let verdict = if about.is_new {
            Verdict::New { newest: None }
        } else {
            keep::judge(self.engine, &session, file, text)?
        };
        let is_new = matches!(verdict, Verdict::New { newest: None });
        if let Some(before) = self.renamed_from(file, &facts, is_new)? {
            told(&Event::Renamed {
                file: file.to_path_buf(),
                session: session.clone(),
                renamed_from: before.clone(),
            });
            if let Some(about) = self.about.get_mut(file) {
                about.renamed_from = Some(before);
            }
        }
        match verdict {
            Verdict::New { newest } => Ok(Some(newest)),
            Verdict::Unchanged(snapshot) => {
                self.summary.unchanged += 1;
                told(&Event::Unchanged {
                    file: file.to_path_buf(),
                    session,
                    snapshot,
                });
                Ok(None)
            }
            Verdict::PutBack(verb, snapshot) => {
                self.summary.unchanged += 1;
                told(&Event::PutBack {
                    file: file.to_path_buf(),
                    session,
                    verb,
                    snapshot,
                });
                Ok(None)
            }
        }
    }

    /// The session that a file was under another name, where that is known.
    fn renamed_from(&mut self, file: &File, facts: &Facts, is_new: bool) -> Result<Option<String>> {
        let told = self.renames.remove(&**file);
        let by_name = told.and_then(|from| self.about.get_key_value(from.as_path()));
        let by_name = by_name.map(|(from, _)| Arc::clone(from));
        let by_name = by_name.filter(|from| self.settling.done(from).is_some());
        let other = self.inodes.get(&facts.inode).filter(|other| *other != file);
        let by_inode = other.filter(|other| {
            let before = self.settling.done(other);
            before.is_some_and(|before| before.is_renamed(facts))
                && matches!(look(other), Ok(Look::Nothing))
        });
        let from = by_name.or_else(|| by_inode.cloned());
        if let Some(about) = from.and_then(|from| self.about.get_mut(&from)) {
            about.moved_on = true;
            return Ok(Some(about.session.clone()));
        }
        if !is_new {
            return Ok(None);
        }
        if self.orphans.is_none() {
            self.orphans = Some(self.find_orphans()?);
        }
        let orphan = self.orphans.as_ref().and_then(|all| all.get(&facts.inode));
        let orphan = orphan.filter(|(_, before)| before.is_renamed(facts));
        Ok(orphan.map(|(session, _)| session.clone()))
    }

    /// Sessions of these folders whose files are gone.
    fn find_orphans(&self) -> Result<HashMap<u64, (String, Facts)>> {
        let mut orphans = HashMap::new();
        for session in keep::sessions(self.engine)?.unwrap_or_default() {
            let newest = keep::newest(self.engine, &session)?;
            let Some(Kept {
                place,
                facts: Some(facts),
            }) = newest.as_ref().and_then(Kept::of)
            else {
                continue;
            };
            let ours = self
                .folders
                .iter()
                .any(|folder| folder.path == place.folder);
            let path = place.folder.join(&place.relative);
            if ours && matches!(look(&path), Ok(Look::Nothing)) {
                orphans.insert(facts.inode, (session, facts));
            }
        }
        Ok(orphans)
    }

    fn submit(&self, file: &File, text: Bytes, facts: Option<Facts>) -> Option<Ticket> {
        let about = self.about.get(file)?;
        let change = Change {
            session: about.session.clone(),
            text,
            place: Place {
                folder: self.folder(about.folder).to_owned(),
                relative: about.relative.clone(),
            },
            format: Format::of(file),
            facts,
            renamed_from: about.renamed_from.clone(),
        };
        Some(keep::save(self.engine, change).submit())
    }

    /// Says what would be saved, if the engine takes it.
    fn rehearse(
        &mut self,
        file: &File,
        text: &Bytes,
        size: u64,
        new: bool,
        told: Told<'_>,
    ) -> Result<()> {
        let engine: Engine = Options::default().on(Arc::new(MemoryStore::new(&SystemClock)));
        engine.save_json("rehearsal", text.clone()).commit()?;
        self.summary.saved += 1;
        if let Some(about) = self.about.get(file) {
            told(&Event::WouldSave {
                file: file.to_path_buf(),
                session: about.session.clone(),
                size,
                new,
            });
        }
        Ok(())
    }

    /// Waits for a save and tells what became of it.
    fn finish(&mut self, saving: Saving, told: Told<'_>) {
        let file = &saving.file;
        match saving.ticket.wait() {
            Ok(snapshot) => {
                self.summary.saved += 1;
                if let Some(about) = self.about.get_mut(file) {
                    about.renamed_from = None;
                    about.is_new = false;
                }
                told(&Event::Saved {
                    file: file.to_path_buf(),
                    session: snapshot.session,
                    snapshot: snapshot.id,
                    size: saving.size,
                    stored_size: snapshot.stored_size,
                    hasty: saving.hasty,
                });
                self.done(file, saving.facts);
            }
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                let hash = XxHash3_128::oneshot(&saving.text);
                let message = error.to_string();
                self.told_torn(file, saving.quiet, hash, &message, saving.newest, told);
                self.settling
                    .read(file, Outcome::Done(saving.facts), self.inbox.now());
            }
            Err(error) => self.not_saved(file, &error, told),
        }
    }

    fn done(&mut self, file: &File, facts: Facts) {
        if let Some(about) = self.about.get_mut(file) {
            about.trouble = false;
            about.refused = None;
        }
        self.dealt_with(file, facts);
        self.settling
            .read(file, Outcome::Done(facts), self.inbox.now());
    }

    fn torn(
        &mut self,
        file: &File,
        facts: Facts,
        quiet: bool,
        hash: u128,
        message: &str,
        told: Told<'_>,
    ) -> Taken {
        let session = self.about.get(file).map(|about| about.session.clone());
        let last_good = session.and_then(|session| self.last_good(&session));
        self.told_torn(file, quiet, hash, message, last_good, told);
        self.settling
            .read(file, Outcome::Done(facts), self.inbox.now());
        Taken::Settled
    }

    fn told_torn(
        &mut self,
        file: &File,
        quiet: bool,
        hash: u128,
        message: &str,
        last_good: Option<SnapshotId>,
        told: Told<'_>,
    ) {
        let Some(about) = self.about.get_mut(file).filter(|_| !quiet) else {
            return;
        };
        about.trouble = false;
        if about.refused.replace(hash) != Some(hash) {
            self.summary.torn += 1;
            // The context is the session's name, which the event has.
            let own = format!("session {}: ", about.session);
            told(&Event::Torn {
                file: file.to_path_buf(),
                session: about.session.clone(),
                message: message.strip_prefix(&own).unwrap_or(message).to_owned(),
                last_good,
            });
        }
    }

    fn unreadable(&mut self, file: &Path, error: &Error, told: Told<'_>) {
        let Some(about) = self.about.get_mut(file) else {
            return;
        };
        if !std::mem::replace(&mut about.trouble, true) {
            let session = about.session.clone();
            let last_good = self.last_good(&session);
            told(&Event::Unreadable {
                file: file.to_owned(),
                session,
                message: error.to_string(),
                last_good,
            });
        }
    }

    /// The store does not take it now; it is tried again.
    fn not_saved(&mut self, file: &File, error: &Error, told: Told<'_>) {
        if let Some(about) = self.about.get_mut(file)
            && !std::mem::replace(&mut about.trouble, true)
        {
            told(&Event::NotSaved {
                file: file.to_path_buf(),
                session: about.session.clone(),
                message: error.to_string(),
            });
        }
        self.settling.read(file, Outcome::Failed, self.inbox.now());
    }

    /// The newest snapshot of a session; none where there is none or nobody can tell.
    fn last_good(&self, session: &str) -> Option<SnapshotId> {
        let newest = keep::newest(self.engine, session);
        newest.ok().flatten().map(|newest| newest.id)
    }
}
