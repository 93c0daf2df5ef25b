//! Telling what is wrong with a file, once.

use std::path::Path;

use dalsegno::{Error, SnapshotId};

use crate::event::Event;
use crate::facts::Facts;
use crate::keep;
use crate::settle::{File, Outcome};
use crate::take_in::Taken;
use crate::watch::{Told, Watch};

impl Watch<'_> {
    pub(crate) fn torn(
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

    pub(crate) fn told_torn(
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

    pub(crate) fn unreadable(&mut self, file: &Path, error: &Error, told: Told<'_>) {
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
    pub(crate) fn not_saved(&mut self, file: &File, error: &Error, told: Told<'_>) {
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
    pub(crate) fn last_good(&self, session: &str) -> Option<SnapshotId> {
        let newest = keep::newest(self.engine, session);
        newest.ok().flatten().map(|newest| newest.id)
    }
}
