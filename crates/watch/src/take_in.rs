//! Taking a file in: reading, judging, and handing it to the store; and what became of it there.

use std::sync::Arc;

use bytes::Bytes;
use dalsegno::clock::SystemClock;
use dalsegno::store::MemoryStore;
use dalsegno::{Engine, Error, ErrorKind, MAX_SIZE, Options, Result, SnapshotId, Ticket};
use twox_hash::XxHash3_128;

use crate::event::Event;
use crate::facts::Facts;
use crate::keep::{self, Change, Place, Verdict};
use crate::lines;
use crate::name::Format;
use crate::read::{Content, Expected, read};
use crate::settle::{File, Outcome};
use crate::watch::{Told, Watch};

/// A state that is to be saved.
pub(crate) struct Saving {
    read: Read,
    change: Change,
    /// The session's turn when the file was read.
    turn: u64,
}

/// A file as it was read.
struct Read {
    file: File,
    text: Bytes,
    size: u64,
    facts: Facts,
    hasty: bool,
    quiet: bool,
    newest: Option<SnapshotId>,
}

/// What came of taking a file in.
pub(crate) enum Taken {
    Saving(Box<Saving>),
    Settled,
    Moved,
}

impl Watch<'_> {
    /// Reads a file and hands it to the store, if it is to be kept. A quiet reading does not tell what is torn: it
    /// may be in the middle of being written.
    pub(crate) fn take_in(
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
        let Some(turn) = self.hands.hold().of(&about.session) else {
            return self.again(file, facts);
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
            let change = self.change(file, text.clone(), (!hasty).then_some(facts));
            Ok(change.map(|change| {
                let read = Read {
                    file: Arc::clone(file),
                    text: text.clone(),
                    size,
                    facts,
                    hasty,
                    quiet,
                    newest,
                };
                Box::new(Saving { read, change, turn })
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

    /// Somebody is at work on the session: the file is read once more when that is done.
    fn again(&mut self, file: &File, facts: Facts) -> Taken {
        let now = self.inbox.now();
        self.settling.read(file, Outcome::Moved(Some(facts)), now);
        Taken::Moved
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

    fn change(&self, file: &File, text: Bytes, facts: Option<Facts>) -> Option<Change> {
        let about = self.about.get(file)?;
        Some(Change {
            session: about.session.clone(),
            text,
            place: Place {
                folder: self.folder(about.folder).to_owned(),
                relative: about.relative.clone(),
            },
            format: Format::of(file),
            facts,
            renamed_from: about.renamed_from.clone(),
        })
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
        let Some(about) = self.about.get(file) else {
            return Ok(());
        };
        let engine: Engine = Options::default().on(Arc::new(MemoryStore::new(&SystemClock)));
        engine.save_json(&about.session, text.clone()).commit()?;
        self.summary.saved += 1;
        told(&Event::WouldSave {
            file: file.to_path_buf(),
            session: about.session.clone(),
            size,
            new,
        });
        Ok(())
    }

    /// Takes the sessions that are not the watch's own yet, saves all in one commit, and tells what became of each.
    pub(crate) fn store(&mut self, savings: Vec<Saving>, told: Told<'_>) {
        let sessions = savings.iter().map(|it| it.change.session.clone());
        let mut refused = match self.take(sessions.collect()) {
            Ok((refused, _)) => refused,
            Err(error) => {
                for saving in savings {
                    self.not_saved(&saving.read.file, &error, told);
                }
                return;
            }
        };
        let (mut saves, mut submitted) = (Vec::new(), Vec::new());
        let hands = Arc::clone(&self.hands);
        // Whoever asks for one now comes after what is saved here.
        let turns = hands.hold();
        for saving in savings {
            let Saving { read, change, turn } = saving;
            if turns.of(&change.session) != Some(turn) {
                self.again(&read.file, read.facts);
                continue;
            }
            if let Some(error) = refused.remove(&change.session) {
                self.not_saved(&read.file, &error, told);
                continue;
            }
            saves.push(keep::save(self.engine, change));
            submitted.push(read);
        }
        let tickets = self.engine.submit_together(saves);
        drop(turns);
        for (read, ticket) in submitted.into_iter().zip(tickets) {
            self.finish(read, ticket, told);
        }
    }

    /// Waits for a save and tells what became of it.
    fn finish(&mut self, saving: Read, ticket: Ticket, told: Told<'_>) {
        let file = &saving.file;
        match ticket.wait() {
            Ok(snapshot) => {
                self.summary.saved += 1;
                if let Some(about) = self.about.get_mut(file) {
                    about.renamed_from = None;
                    about.is_new = false;
                }
                let fuller = self.engine.kept_fuller(&snapshot);
                told(&Event::Saved {
                    file: file.to_path_buf(),
                    session: snapshot.session.clone(),
                    snapshot: snapshot.id,
                    size: saving.size,
                    stored_size: snapshot.stored_size,
                    hasty: saving.hasty,
                });
                if let Ok(Some(fuller)) = fuller {
                    told(&Event::Shrunk {
                        file: file.to_path_buf(),
                        session: snapshot.session,
                        snapshot: fuller.id,
                        lost: fuller.label.unwrap_or_default(),
                    });
                }
                self.done(file, saving.facts);
            }
            Err(error) if error.kind() == ErrorKind::InvalidInput => {
                let hash = XxHash3_128::oneshot(&saving.text);
                let message = error.to_string();
                self.told_torn(file, saving.quiet, hash, &message, saving.newest, told);
                self.settling
                    .read(file, Outcome::Done(saving.facts), self.inbox.now());
            }
            Err(error) => {
                if error.kind() == ErrorKind::Conflict {
                    let session = self.about.get(file).map(|about| about.session.clone());
                    self.lost(&session.unwrap_or_default());
                }
                self.not_saved(file, &error, told);
            }
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
}
