//! When there is something to do: looking, taking files in, waiting for their saves, and the last of it at the end.

use std::time::Duration;

use dalsegno::{Error, ErrorKind};

use crate::event::Event;
use crate::find::{SPECIAL, SYMBOLIC_LINK};
use crate::read::{Look, look};
use crate::settle::{Action, File};
use crate::take_in::Taken;
use crate::watch::{Told, Watch};

/// So many files, and bytes of files, are read before their saves are waited for: they share a commit, and
/// memory stays bounded.
const MAX_FILES: usize = 64;
const MAX_BYTES: u64 = 32 << 20;

/// What was written just now is waited for that long when the watch ends.
const LAST_WAIT: Duration = Duration::from_millis(25);

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
                        savings.push(*saving);
                    }
                }
                None => break,
            }
        }
        self.store(savings, told);
        self.let_go();
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
                    Taken::Saving(saving) => savings.push(*saving),
                    Taken::Settled => {}
                    Taken::Moved => moving.push(file),
                }
                if savings.len() >= MAX_FILES || bytes >= MAX_BYTES {
                    bytes = 0;
                    self.store(std::mem::take(&mut savings), told);
                }
            }
            self.store(savings, told);
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
        self.gone.push(about.session.clone());
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
}
