//! The leases that this program holds, in memory: what each save is compared with.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::codec::note::Lease;
use crate::error::{Error, ErrorKind};

/// The leases of an engine, shared with its writer.
#[derive(Default)]
pub(crate) struct Leases {
    own: Mutex<Own>,
}

#[derive(Default)]
struct Own {
    /// The id of the note that says who this is.
    writer: Option<i64>,
    held: HashMap<String, Held>,
    /// Whether this program attends to requests.
    attends: bool,
}

enum Held {
    Epoch(i64),
    /// Somebody has it now. Until the session is opened again or closed, nothing of it is saved.
    Lost(Error),
    /// As that, and it was handed over, so that nobody need be told when it is closed.
    Passed(Error),
}

/// How this program stands to a session.
pub(crate) enum Standing {
    /// It has not opened it.
    Stranger,
    /// It has the lease of this epoch.
    Holder(i64),
    /// It had it.
    Lost(Error),
}

impl Leases {
    fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn writer(&self) -> Option<i64> {
        self.own().writer
    }

    pub(crate) fn attends(&self) -> bool {
        self.own().attends
    }

    /// Says whether it was so before.
    pub(crate) fn set_attends(&self, attends: bool) -> bool {
        std::mem::replace(&mut self.own().attends, attends)
    }

    pub(crate) fn set_writer(&self, id: Option<i64>) {
        self.own().writer = id;
    }

    pub(crate) fn standing(&self, session: &str) -> Standing {
        match self.own().held.get(session) {
            None => Standing::Stranger,
            Some(Held::Epoch(epoch)) => Standing::Holder(*epoch),
            Some(Held::Lost(error) | Held::Passed(error)) => Standing::Lost(error.clone()),
        }
    }

    /// Whether what is remembered of a session's lease is what this program holds.
    pub(crate) fn agree(&self, session: &str, remembered: Option<&Lease>) -> bool {
        match self.standing(session) {
            Standing::Stranger => remembered.is_none(),
            Standing::Holder(epoch) => remembered.is_some_and(|lease| self.is_own(lease, epoch)),
            Standing::Lost(_) => false,
        }
    }

    /// Whether it is the lease of that epoch that this program was given: a session that is made anew counts
    /// from one again.
    pub(crate) fn is_own(&self, lease: &Lease, epoch: i64) -> bool {
        (lease.epoch, Some(lease.writer)) == (epoch, self.writer())
    }

    pub(crate) fn hold(&self, session: &str, epoch: i64) {
        let held = Held::Epoch(epoch);
        self.own().held.insert(session.to_owned(), held);
    }

    /// Notes that the lease of `epoch` is somebody else's now, and gives the error that says so.
    pub(crate) fn lose(&self, session: &str, epoch: i64, to: Option<String>) -> Error {
        let error = Error::new(
            ErrorKind::Conflict,
            format!(
                "{} took the session {session} over; nothing of this was saved: open it again to go on with it",
                to.as_deref().unwrap_or("another program")
            ),
        );
        let mut own = self.own();
        if let Some(held) = own.held.get_mut(session)
            && matches!(held, Held::Epoch(known) if *known == epoch)
        {
            *held = Held::Lost(error.clone());
        }
        error
    }

    /// Notes that the lease was handed over: nothing is saved here from now on.
    pub(crate) fn pass(&self, session: &str, to: &str) {
        let error = Error::conflict(format!(
            "the session {session} was handed over to {to}; nothing of this was saved"
        ));
        let held = Held::Passed(error);
        self.own().held.insert(session.to_owned(), held);
    }

    /// Whether it was handed over.
    pub(crate) fn was_passed(&self, session: &str) -> bool {
        matches!(self.own().held.get(session), Some(Held::Passed(_)))
    }

    pub(crate) fn forget(&self, session: &str) {
        self.own().held.remove(session);
    }

    /// The sessions that were opened and not closed, lost ones too.
    pub(crate) fn names(&self) -> Vec<String> {
        self.own().held.keys().cloned().collect()
    }

    /// The sessions of which this program has the lease, as far as it knows, with the epochs.
    pub(crate) fn sessions(&self) -> Vec<(String, i64)> {
        let own = self.own();
        let held = own.held.iter().filter_map(|(session, held)| match held {
            Held::Epoch(epoch) => Some((session.clone(), *epoch)),
            Held::Lost(_) | Held::Passed(_) => None,
        });
        held.collect()
    }
}
