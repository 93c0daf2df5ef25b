//! The secrets that open an encrypted store: any of them does, and none is in it.

use crate::codec::note;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::key::Secret;
use crate::model::{Action, StoreId};
use crate::store::seal::{Slot, open_any};
use crate::store::{Exchange, KeySlot, NoteRow, SqliteStore, notes};

/// No store has more: each passphrase among them is one more to try.
const MOST: usize = 16;

/// The most characters of a label.
const MAX_LABEL: usize = 255;

impl Engine {
    /// What opens the store, by number; none, where it is not encrypted.
    ///
    /// # Errors
    /// `Damaged` where one cannot be read, or was changed by somebody who cannot open the store.
    pub fn keys(&self) -> Result<Vec<KeySlot>> {
        self.allow(Action::Read, None)?;
        let id = &self.store().info().id;
        let Some(root) = self.sqlite().and_then(SqliteStore::root) else {
            return Ok(Vec::new());
        };
        let shown = |row: &NoteRow| Slot::genuine(row, root, id)?.shown(row.id);
        self.slots()?.iter().map(shown).collect()
    }

    /// Which of the [keys](Self::keys) `secret` is.
    ///
    /// # Errors
    /// `WrongKey` where it is none of them.
    pub fn key_of(&self, secret: &Secret) -> Result<i64> {
        open_any(&self.slots()?, secret, &self.store().info().id).map(|(_, id)| id)
    }

    /// Lets `secret` open the store too.
    ///
    /// # Errors
    /// `Conflict` where it does already, or the store is not encrypted; `InvalidInput` where the label is too long or
    /// the store has 16 keys.
    pub fn add_key(&self, secret: &Secret, label: Option<&str>) -> Result<KeySlot> {
        self.allow(Action::Key, None)?;
        let slots = self.slots()?;
        if slots.len() >= MOST {
            return Err(Error::invalid(format!(
                "the store has {MOST} keys, and takes no more: remove one first"
            )));
        }
        let (slot, row) = self.new_slot(&slots, secret, label)?;
        self.change_slots(Vec::new(), vec![row], &format!("{} added", slot.id))?;
        Ok(slot)
    }

    /// Takes a key away: from now on it opens the store no more. It still opens copies that were made before.
    ///
    /// # Errors
    /// `NotFound` where there is no such key; `Conflict` where it is the last one: [`decrypt`](crate::Options::decrypt)
    /// turns encryption off. After an error [that did some of it](Error::is_partly_done) it is taken away, but stands
    /// in the file's free pages.
    pub fn remove_key(&self, id: i64) -> Result<()> {
        self.allow(Action::Key, None)?;
        let slots = self.slots()?;
        let (gone, rest): (Vec<_>, Vec<_>) = slots.into_iter().partition(|row| row.id == id);
        if gone.is_empty() {
            return Err(Error::not_found(format!("the store has no key {id}")));
        }
        if rest.is_empty() {
            return Err(Error::conflict(
                "this is the only key, without which nothing opens the store: add another first",
            ));
        }
        self.change_slots(gone, vec![], &format!("{id} removed"))?;
        self.wipe_slots()
    }

    /// Puts `next` in the place of the key that `current` is; nothing but this key's slot is written, and programs that
    /// have the store open go on. Whoever had both the old key and a copy of the store can read what is sealed: to shut
    /// them out of what comes, [decrypt](crate::Options::decrypt) and [encrypt](crate::Options::encrypt) again.
    ///
    /// # Errors
    /// `WrongKey` where `current` does not open the store; otherwise as [`add_key`](Self::add_key) and
    /// [`remove_key`](Self::remove_key).
    pub fn rotate_key(
        &self,
        current: &Secret,
        next: &Secret,
        label: Option<&str>,
    ) -> Result<KeySlot> {
        self.allow(Action::Key, None)?;
        let slots = self.slots()?;
        let (_, id) = open_any(&slots, current, &self.store().info().id)?;
        let (slot, row) = self.new_slot(&slots, next, label)?;
        let gone = slots.into_iter().filter(|row| row.id == id).collect();
        let note = format!("{id} made way for {}", slot.id);
        self.change_slots(gone, vec![row], &note)?;
        self.wipe_slots()?;
        Ok(slot)
    }

    fn new_slot(
        &self,
        slots: &[NoteRow],
        secret: &Secret,
        label: Option<&str>,
    ) -> Result<(KeySlot, NoteRow)> {
        let store: &StoreId = &self.store().info().id;
        let root = self
            .file()?
            .root()
            .ok_or_else(|| Error::conflict("the store is not encrypted; `key init` encrypts it"))?;
        if label.is_some_and(|label| label.chars().count() > MAX_LABEL) {
            return Err(Error::invalid(format!(
                "the label of a key has at most {MAX_LABEL} characters"
            )));
        }
        if let Ok((_, id)) = open_any(slots, secret, store) {
            return Err(Error::conflict(format!(
                "this is key {id} of the store already; nothing was changed"
            )));
        }
        let id = slots.iter().map(|row| row.id).max().unwrap_or(0) + 1;
        let slot = Slot::new(root, secret, label, (store, id), self.clock())?;
        Ok((slot.shown(id)?, slot.row(store, id)?))
    }

    fn change_slots(&self, take: Vec<NoteRow>, mut put: Vec<NoteRow>, note: &str) -> Result<()> {
        if !take.is_empty() && !self.has_left()? {
            put.push(NoteRow::left(&self.store().info().id)?);
        }
        let said = self.said(Action::Key).note(note);
        if self
            .store()
            .exchange(&Exchange::of_notes(take, put).say(said))?
        {
            return Ok(());
        }
        Err(Error::conflict(
            "another program changed the store's keys at the same time; look again",
        ))
    }

    fn wipe_slots(&self) -> Result<()> {
        self.wipe().map_err(|error| {
            error
                .context("the key is taken away, but may still be found in the store's files")
                .hint("`key wipe` writes them anew")
                .partly(true)
        })
    }

    /// The notes of what opens the store.
    pub(crate) fn slots(&self) -> Result<Vec<NoteRow>> {
        let mut found = Vec::new();
        notes::each(&*self.view()?, note::SLOT, &mut |row| {
            found.push(row);
            Ok(())
        })?;
        Ok(found)
    }
}
