//! What was erased since a backup was made: no restore brings it back.

use std::collections::BTreeMap;
use std::path::Path;

use super::archive::Archive;
use super::contents::Table;
use super::folder::{self, UnreadableBackup};
use super::keys::Keys;
use super::set::Set;
use crate::codec::note;
use crate::engine::Engine;
use crate::erase::{Grave, grave_key};
use crate::error::{Error, Result};
use crate::key::Secret;
use crate::model::StoreId;
use crate::name_key::{self, NameKey};
use crate::store::{Exchange, Flow, NoteRow, Row, notes};

/// Tombstones that say what was erased since a backup was made.
#[derive(Default)]
pub(super) struct Graves {
    /// By the places of their notes.
    rows: BTreeMap<(i64, i64, i64), (NoteRow, Grave)>,
    /// Those that the backup has itself: of sessions that were erased before, and may have begun anew.
    own: BTreeMap<(i64, i64, i64), i64>,
    /// Where it has lost some of them, its time: microseconds since 1970 (UTC).
    lost_at: Option<i64>,
    /// The key of the hashes in them.
    names: Option<NoteRow>,
    /// Other backups that could not be asked, and may be later.
    pub(super) unread: Vec<UnreadableBackup>,
}

impl Graves {
    /// Those in the backups of the same store beside this one that it does not have itself.
    pub(super) fn beside(set: &Set, secret: Option<&Secret>) -> Result<Self> {
        let mut found = Self::default();
        let of = &set.contents.summary;
        if !found.take_all(set, &of.head.store)? {
            found.lost_at = Some(of.taken_at);
        }
        found.own = found
            .rows
            .iter()
            .map(|(place, (_, grave))| (*place, grave.erased_at))
            .collect();
        let (known, unreadable) = folder::beside(set.newest().path())?;
        found.unread = unreadable;
        for (path, head, summary) in known {
            if head.store != of.head.store || head.archive == of.head.archive {
                continue;
            }
            if let Err(why) = found.add(&path, secret, &set.keys)
                && summary.is_none_or(|it| it.taken_at >= of.taken_at)
            {
                found.unread.push(UnreadableBackup { path, why });
            }
        }
        let Self {
            rows, own, lost_at, ..
        } = &mut found;
        rows.retain(|place, (_, grave)| is_since(grave.erased_at, own.get(place), *lost_at));
        Ok(found)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether what was erased then was erased since the backup was made.
    pub(super) fn is_since(&self, name: &str, erased_at: i64, store: &StoreId) -> bool {
        let key = self.names.as_ref().and_then(|row| NameKey::of(row, store));
        let own = key.and_then(|key| self.own.get(&grave_key(&key.sum(name))));
        is_since(erased_at, own, self.lost_at)
    }

    fn add(&mut self, path: &Path, secret: Option<&Secret>, known: &Keys) -> Result<()> {
        let archive = Archive::open(path)?;
        let store = archive.head.store;
        // Encryption may have been turned on or off since.
        let keys = if archive.head.mark == known.mark()? {
            known.clone()
        } else {
            archive.keys(secret.filter(|_| archive.head.is_sealed))?
        };
        let mut set = Set::open_with(archive, keys, None)?;
        if self.take_all(&set, &store)? {
            return Ok(());
        }
        // Parity makes it again, where it can; to try that, all of it is to be read.
        set.mend()?;
        if self.take_all(&set, &store)? {
            return Ok(());
        }
        let path = path.display();
        Err(Error::damaged(format!(
            "{path} has lost notes, of erased sessions perhaps, beyond what its parity makes again"
        )))
    }

    /// Takes those that a backup has; whether none of it is lost, or damaged.
    fn take_all(&mut self, set: &Set, store: &StoreId) -> Result<bool> {
        let (mut whole, mut graves, mut names) = (true, false, false);
        let lost = set.each(Table::Note, &mut |rows| {
            for row in rows.notes {
                let is_grave = row.kind == note::TOMBSTONE;
                if !is_grave && row.kind != note::NAMES {
                    continue;
                }
                if !row.is_intact(store) {
                    whole = false;
                    continue;
                }
                graves |= is_grave;
                names |= !is_grave;
                self.take(row)?;
            }
            Ok(())
        })?;
        Ok(whole && lost.is_empty() && (names || !graves))
    }

    fn take(&mut self, row: NoteRow) -> Result<()> {
        match row.kind {
            note::TOMBSTONE => {
                let grave: Grave = note::decode(&row.detail)?;
                let before = self.rows.get(&row.key());
                if before.is_none_or(|(_, before)| before.erased_at < grave.erased_at) {
                    self.rows.insert(row.key(), (row, grave));
                }
            }
            note::NAMES => self.names = Some(row),
            _ => {}
        }
        Ok(())
    }

    /// Erases in `engine` what these say was erased, and puts them there. How many sessions were.
    pub(super) fn honour(&self, engine: &Engine) -> Result<u64> {
        let Some(names) = &self.names else {
            return Ok(0);
        };
        let store = engine.store().info().id;
        let Some(key) = NameKey::of(names, &store) else {
            return Ok(0);
        };
        self.carry_over(engine, names)?;
        let mut erased = 0;
        for name in sessions(engine, &store)? {
            let sum = key.sum(&name);
            if self.rows.values().any(|(_, grave)| grave.hash == sum) {
                engine.erase_session(&name)?;
                erased += 1;
            }
        }
        if erased > 0 {
            // With the times when it was done first.
            self.carry_over(engine, names)?;
        }
        Ok(erased)
    }

    /// Whether a session of that name is one of them.
    pub(super) fn has(&self, name: &str, store: &StoreId) -> bool {
        let key = self.names.as_ref().and_then(|row| NameKey::of(row, store));
        key.is_some_and(|key| {
            let sum = key.sum(name);
            self.rows.values().any(|(_, grave)| grave.hash == sum)
        })
    }

    fn carry_over(&self, engine: &Engine, names: &NoteRow) -> Result<()> {
        let view = engine.raw_view()?;
        let (mut take, mut put) = (Vec::new(), Vec::new());
        if notes::stands(&*view, name_key::PLACE)?.is_none() {
            put.push(names.clone());
        }
        for (place, (row, _)) in &self.rows {
            take.extend(notes::stands(&*view, *place)?);
            put.push(row.clone());
        }
        drop(view);
        engine.store().exchange(&Exchange::of_notes(take, put))?;
        Ok(())
    }
}

/// By the tombstone of the same name that the backup has, not by clocks: they may be set back. Of the store's own tombstones of
/// one name each is later than the one before.
fn is_since(erased_at: i64, own: Option<&i64>, lost_at: Option<i64>) -> bool {
    own.map_or_else(
        || lost_at.is_none_or(|at| erased_at > at),
        |own| erased_at > *own,
    )
}

fn sessions(engine: &Engine, store: &StoreId) -> Result<Vec<String>> {
    let mut names = Vec::new();
    engine.raw_view()?.sessions(&mut |row| {
        if row.is_intact(store) {
            names.push(row.name);
        }
        Flow::Continue(())
    })?;
    Ok(names)
}
