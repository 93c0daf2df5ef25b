//! Which session a number in the audit log meant at its time.
//!
//! The log names sessions by number and by keyed hash. A number belongs to one session until that is gone, and may then
//! be given again; where that happened, the log says so. It is read backwards, from the numbers that sessions have now.

use std::collections::HashMap;

use crate::codec::checksum::Checksum;
use crate::codec::entry::Entry;
use crate::error::{ErrorKind, Result};
use crate::model::StoreId;
use crate::name_key::NameKey;
use crate::store::{Flow, Row, View};

/// What numbers and hashes mean, at the place that was reached.
pub(super) struct Names {
    key: Option<NameKey>,
    /// The names of the sessions that are there now.
    by_hash: HashMap<Checksum, String>,
    now: HashMap<i64, Checksum>,
}

/// The sessions of one row.
pub(super) struct Seen {
    /// Each with its hash, where that is known.
    pub(super) sessions: Vec<(i64, Option<Checksum>)>,
    pub(super) asked: Option<Checksum>,
}

impl Seen {
    pub(super) fn has(&self, wanted: &Checksum) -> bool {
        let mut hashes = self.sessions.iter().map(|(_, hash)| hash.as_ref());
        self.asked.as_ref() == Some(wanted) || hashes.any(|hash| hash == Some(wanted))
    }
}

impl Names {
    pub(super) fn read(view: &dyn View, store: &StoreId) -> Result<Self> {
        let mut sessions = Vec::new();
        view.sessions(&mut |row| {
            if row.is_intact(store) {
                sessions.push((row.id, row.name));
            }
            Flow::Continue(())
        })?;
        let key = match NameKey::read(view, store) {
            // The log is shown all the same, with hashes in the place of names.
            Err(error) if error.kind() == ErrorKind::Damaged => None,
            key => key?,
        };
        let mut names = Self {
            key,
            by_hash: HashMap::new(),
            now: HashMap::new(),
        };
        for (number, name) in sessions {
            if let Some(hash) = names.of(&name) {
                names.now.insert(number, hash);
                names.by_hash.insert(hash, name);
            }
        }
        Ok(names)
    }

    pub(super) fn of(&self, name: &str) -> Option<Checksum> {
        self.key.as_ref().map(|key| key.sum(name))
    }

    /// The name that the hash is of, where there is such a session now.
    pub(super) fn name(&self, hash: &Checksum) -> Option<&str> {
        self.by_hash.get(hash).map(String::as_str)
    }

    /// The sessions of `entry`, which is the one before the last that was asked for.
    pub(super) fn step(&mut self, entry: &Entry) -> Seen {
        for (number, hash) in entry.ended.iter().chain(&entry.begun) {
            self.now.insert(*number, *hash);
        }
        let numbers = entry.sessions.numbers();
        let sessions = numbers.map(|number| (number, self.now.get(&number).copied()));
        let seen = Seen {
            sessions: sessions.collect(),
            asked: entry.asked,
        };
        for (number, _) in &entry.begun {
            self.now.remove(number);
        }
        seen
    }
}
