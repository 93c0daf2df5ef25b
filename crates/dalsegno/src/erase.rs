//! Erasing a session for good: its key, every row that is of it or names it, and the file they stood in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::attempt::until_done;
use crate::backup::KnownBackup;
use crate::codec::checksum::Checksum;
use crate::codec::note::{self, Request};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::event::{self, Happened};
use crate::lease;
use crate::model::{Action, StoreId};
use crate::name_key::NameKey;
use crate::show;
use crate::store::{Exchange, Flow, NoteRow, NoteScan, Row, Rows, Scan, SessionRow, View, notes};

/// What erasing a session takes away, or took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Erasure {
    /// The session's name.
    pub session: String,
    /// How many snapshots, those in the trash too; none where an earlier call had come so far.
    pub snapshots: u64,
    /// Bytes of their records.
    pub bytes: u64,
    /// Patterns of policies and guards that are its name: they stay, and say it.
    pub named_by: Vec<String>,
    /// Backups that were made of the store, which this does not reach: what they hold of the session stays in them, and a
    /// restore of one brings it back, unless a backup that was made since lies in the same folder.
    pub backups: Vec<KnownBackup>,
}

/// What is left of a session that was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Tombstone {
    /// A keyed hash of its name, in hexadecimal: it tells nothing to who does not have the key, and not the name to who
    /// has.
    pub hash: String,
    /// When it was erased.
    pub erased_at: Timestamp,
}

/// A tombstone as it is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct Grave {
    pub(crate) hash: [u8; 16],
    /// In microseconds since 1970 (UTC).
    pub(crate) erased_at: i64,
}

impl Engine {
    /// Erases a session: its key, its snapshots and those in the trash, its records, its log, its lease, requests to it
    /// and events of it, in one transaction; then the file is written anew and the log beside it emptied, so that
    /// nothing of it is left in them. A tombstone stays, by which backups that are made from then on tell older ones in
    /// the same folder that it is not to come back. There is no way to undo this.
    ///
    /// Copies of the store, files it was exported to and the disk's free blocks it does not reach, nor forks of it,
    /// which are sessions of their own.
    ///
    /// ```
    /// # fn main() -> dalsegno::Result<()> {
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("store.db");
    /// let secret = dalsegno::Secret::generate()?;
    /// let engine = dalsegno::Options::default().secret(secret).create(&path)?;
    /// engine.save("chat/42", &["a confession"]).commit()?;
    /// assert_eq!(engine.erase_session("chat/42")?.snapshots, 1);
    /// assert!(engine.restore("chat/42@latest").is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `NotFound` where there is no such session; `Locked` where a program has it open. After an error [that did some
    /// of it](Error::is_partly_done) the session is erased, and the same call writes the file anew.
    pub fn erase_session(&self, session: &str) -> Result<Erasure> {
        self.allow(Action::Erase, None)?;
        self.flush()?;
        let gone = until_done("the session", || {
            let Some((exchange, erasure)) = self.erasing(session)? else {
                return Ok(Some(None));
            };
            let done = self.store().exchange(&exchange)?;
            Ok(done.then_some(Some(erasure)))
        })?;
        let erasure = match gone {
            Some(erasure) => erasure,
            None if self.has_left()? && self.is_erased(session)? => Erasure {
                session: session.to_owned(),
                backups: self.known_backups()?,
                ..Erasure::default()
            },
            None => return Err(Error::not_found(format!("there is no session '{session}'"))),
        };
        let wiped = self.wipe();
        self.tell(None, Happened::Erased);
        wiped.map_err(|error| {
            error
                .context(format!(
                    "{session} is erased, but may still be found in the store's files"
                ))
                .hint("run it again")
                .partly(true)
        })?;
        Ok(erasure)
    }

    /// What [`erase_session`](Self::erase_session) would take away. Nothing is changed.
    ///
    /// # Errors
    /// As [`erase_session`](Self::erase_session).
    pub fn erase_plan(&self, session: &str) -> Result<Erasure> {
        let planned = self.erasing(session)?;
        planned
            .map(|(_, erasure)| erasure)
            .ok_or_else(|| Error::not_found(format!("there is no session '{session}'")))
    }

    /// What was erased, in the order of the hashes.
    ///
    /// # Errors
    /// `Damaged` where a tombstone cannot be read.
    pub fn tombstones(&self) -> Result<Vec<Tombstone>> {
        let id = &self.store().info().id;
        let mut found = Vec::new();
        notes::each(&*self.view()?, note::TOMBSTONE, &mut |row| {
            let grave: Grave = if row.is_intact(id) {
                note::decode(&row.detail)?
            } else {
                return Err(Error::damaged("a tombstone is damaged"));
            };
            let out_of_range = |_| Error::damaged("the time of a tombstone is out of range");
            found.push(Tombstone {
                hash: grave.hash.map(|byte| format!("{byte:02x}")).concat(),
                erased_at: Timestamp::from_microsecond(grave.erased_at).map_err(out_of_range)?,
            });
            Ok(())
        })?;
        Ok(found)
    }

    /// Whether a session of that name was erased; it may have begun anew since.
    ///
    /// # Errors
    /// As [`tombstones`](Self::tombstones).
    pub fn is_erased(&self, session: &str) -> Result<bool> {
        Ok(self.erased_at(session)?.is_some())
    }

    /// When a session of that name was erased last: microseconds since 1970 (UTC).
    pub(crate) fn erased_at(&self, session: &str) -> Result<Option<i64>> {
        let (view, id) = (self.view()?, &self.store().info().id);
        match NameKey::read(&*view, id)? {
            Some(key) => erased_by(&*view, id, &key, session),
            None => Ok(None),
        }
    }

    fn erasing(&self, name: &str) -> Result<Option<(Exchange, Erasure)>> {
        let id = &self.store().info().id;
        let view = self.view()?;
        let Some(session) = show::session(&*view, id, name)? else {
            return Ok(None);
        };
        if let Some(found) = lease::rows::lease(&*view, id, session.id)?
            && let Some(holder) = lease::rows::holder(&*view, id, &found.lease, self.clock())?
        {
            return Err(lease::rows::held(name, &holder, &found.lease));
        }
        let mut erasure = Erasure {
            session: name.to_owned(),
            backups: self.known_backups()?,
            ..Erasure::default()
        };
        let mut take = rows_of(&*view, &session, &mut erasure)?;
        let mut put = Rows::default();
        self.notes_of(&*view, &session, &mut take, &mut put)?;
        for policy in view.policies()? {
            erasure
                .named_by
                .extend(Some(policy.pattern).filter(|it| it == name));
        }
        let guards = self.guards()?.into_iter().map(|guard| guard.pattern);
        erasure.named_by.extend(guards.filter(|it| it == name));
        let number = session.id;
        take.sessions.push(session);
        let hash = NameKey::ensure(&*view, id, &mut take, &mut put)?.sum(name);
        if !self.has_left()? {
            put.notes.push(NoteRow::left(id)?);
        }
        // One that was erased before, and began anew.
        let before = notes::proved(&*view, id, grave_key(&hash))?;
        let erased_before = before.as_ref().map(erased_at).transpose()?;
        put.notes.push(self.grave(hash, erased_before)?);
        take.notes.extend(before);
        let mut said = self.said(Action::Erase);
        said.sessions.push(number);
        said.ended.push((number, name.to_owned()));
        Ok(Some((Exchange::of(take, put).say(said), erasure)))
    }

    /// Its own notes, requests to it, and events of it, each of which leaves its number to one that says nothing.
    fn notes_of(
        &self,
        view: &dyn View,
        session: &SessionRow,
        take: &mut Rows,
        put: &mut Rows,
    ) -> Result<()> {
        let id = &self.store().info().id;
        for kind in view.note_kinds()? {
            let scan = NoteScan {
                kind,
                session: Some(session.id),
                ..NoteScan::default()
            };
            view.notes(&scan, &mut |row| {
                take.notes.push(row);
                Flow::Continue(())
            })?;
        }
        let mut of_others = Vec::new();
        notes::each(view, note::REQUEST, &mut |row| {
            // Nobody can say of one that is damaged whose it was, nor carry it out.
            let read = note::decode::<Request>(&row.detail).ok();
            match read.filter(|it| row.is_intact(id) && it.session != session.name) {
                Some(_) => of_others.push(row.id),
                None => take.notes.push(row),
            }
            Ok(())
        })?;
        notes::each(view, note::PARCEL, &mut |row| {
            if !of_others.contains(&row.id) {
                take.notes.push(row);
            }
            Ok(())
        })?;
        notes::each(view, note::EVENT, &mut |row| {
            let read = event::notes::read(&row, id);
            let Some(mut event) =
                read.filter(|event| event.session.as_ref() == Some(&session.name))
            else {
                return Ok(());
            };
            event.session = None;
            event.actor = None;
            event.what = Happened::Erased;
            put.notes.push(event::notes::row(&event, row.id, id)?);
            take.notes.push(row);
            Ok(())
        })
    }

    /// Its time is later than that of the one before, whatever the clock says: backups are compared by it.
    fn grave(&self, hash: Checksum, before: Option<i64>) -> Result<NoteRow> {
        let after = before.map_or(i64::MIN, |at| at.saturating_add(1));
        let grave = Grave {
            hash,
            erased_at: self.now().as_microsecond().max(after),
        };
        let row = NoteRow::new(
            grave_key(&hash),
            note::encode(&grave)?,
            &self.store().info().id,
        );
        Ok(row)
    }
}

/// When a session of that name, whose hash is by `key`, was erased last, by what the rows of `view` say: microseconds since 1970
/// (UTC).
///
/// # Errors
/// `Damaged` where its tombstone is.
pub(crate) fn erased_by(
    view: &dyn View,
    store: &StoreId,
    key: &NameKey,
    session: &str,
) -> Result<Option<i64>> {
    let row = notes::proved(view, store, grave_key(&key.sum(session)))?;
    row.as_ref().map(erased_at).transpose()
}

/// What a tombstone says of when.
fn erased_at(row: &NoteRow) -> Result<i64> {
    note::decode::<Grave>(&row.detail).map(|grave| grave.erased_at)
}

/// The rows of a session, found by a look at every row, so that none is passed over because the way to it is lost.
fn rows_of(view: &dyn View, session: &SessionRow, erasure: &mut Erasure) -> Result<Rows> {
    let mut rows = Rows::default();
    view.snapshots(&Scan::default(), &mut |row| {
        if row.session == session.id {
            rows.snapshots.push(row);
        }
        Flow::Continue(())
    })?;
    view.trash(&mut |row| {
        if row.snapshot.session == session.id {
            rows.trash.push(row);
        }
        Flow::Continue(())
    })?;
    erasure.snapshots = (rows.snapshots.len() + rows.trash.len()) as u64;
    view.records(&mut |row| {
        if row.session == session.id {
            erasure.bytes += row.data.len() as u64;
            rows.records.push(row);
        }
        Flow::Continue(())
    })?;
    view.operations(Some(session.id), &mut |row| {
        rows.operations.push(row);
        Flow::Continue(())
    })?;
    Ok(rows)
}

/// Where the tombstone of that hash stands.
pub(crate) fn grave_key(hash: &[u8; 16]) -> (i64, i64, i64) {
    let mut id = [0; 8];
    id.copy_from_slice(&hash[..8]);
    // The smallest id is given to no note.
    (note::TOMBSTONE, 0, i64::from_le_bytes(id) & i64::MAX)
}
