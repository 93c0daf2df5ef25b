//! From the pages of the old file to the rows of the new one.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use crate::codec::note;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::model::StoreId;
use crate::options::Options;
use crate::repair::Holes;
use crate::store::pages::{self, Any, Fill, Own, Reader, Which};
use crate::store::seal::{Seal, SealedSession};
use crate::store::{Flow, NoteRow, NoteScan, Row, SqliteStore, sequence};

/// The old file, and what opens its rows.
pub(super) struct Read {
    reader: Reader,
    own: Own,
    seal: Option<Seal>,
    /// Slots that come from a source.
    slots: Vec<NoteRow>,
}

/// What is in the new file.
pub(super) struct Filled {
    pub(super) rows: u64,
    pub(super) torn: Vec<String>,
    /// What of the file's own structure is damaged.
    pub(super) broken: Vec<String>,
    pub(super) holes: Holes,
    /// Whether there is a file of rows of which nobody can say whether they were in use.
    pub(super) loose: bool,
}

impl Read {
    pub(super) fn of(
        locked: File,
        path: &Path,
        sources: &[&Engine],
        options: &Options,
    ) -> Result<Self> {
        let reader = SqliteStore::pages(locked, path)?;
        let said = reader.own()?;
        let known = match said.first() {
            Some(own) if own.is_proved() => Some(own.id),
            _ => {
                let here = said.iter().map(|own| own.id);
                let ids = here.chain(sources.iter().map(|source| source.store().info().id));
                let mut found = None;
                for id in ids {
                    if found.is_none() && reader.is_of(&id)? {
                        found = Some(id);
                    }
                }
                found
            }
        };
        let id = match known {
            Some(id) => id,
            None if reader.is_foreign() => {
                return Err(Error::invalid(format!(
                    "{} is another program's SQLite database, with no row of a store in it; nothing was changed",
                    path.display()
                )));
            }
            // Nothing is left that would say that it is not.
            None => match sources.first() {
                Some(source) => source.store().info().id,
                None => {
                    return Err(Error::damaged(
                        "nothing that can be read says which store it is: give a copy or a backup of it (`--from`)",
                    ));
                }
            },
        };
        let mut slots = reader.slots(&id)?;
        let mut of_source = Vec::new();
        if slots.is_empty() {
            for source in sources
                .iter()
                .filter(|it| it.store().info().id == id && it.is_encrypted())
            {
                of_source = slots_of(source)?;
            }
            slots.clone_from(&of_source);
        }
        let seal = match (options.secret_given(), slots.is_empty()) {
            (Some(secret), false) => Some(pages::seal(&slots, secret, &id)?),
            (None, false) => {
                return Err(Error::new(
                    ErrorKind::WrongKey,
                    "the store is encrypted and no key was given; nothing was read",
                ));
            }
            (_, true) => None,
        };
        let mut read = Self {
            own: Own {
                id,
                created_at: 0,
                checksum: [0; 16],
                last: 0,
                sealing: 0,
            },
            reader,
            seal,
            slots: of_source,
        };
        read.own = read.say(&said, sources, options)?;
        Ok(read)
    }

    /// What the store says of itself, where its row is lost as far as that can be known.
    fn say(&self, said: &[Own], sources: &[&Engine], options: &Options) -> Result<Own> {
        let of_it = said.iter().find(|own| own.id == self.own.id);
        let sealed = i64::from(self.seal.is_some());
        if let Some(own) = of_it.filter(|own| own.is_proved()) {
            return Ok(own.clone());
        }
        let now = options.time().as_microsecond();
        let sources = sources
            .iter()
            .filter(|it| it.store().info().id == self.own.id);
        let made = sources
            .map(|source| source.store().info().created_at)
            .next();
        let plausible = of_it
            .map(|own| own.created_at)
            .filter(|at| (0..=now).contains(at));
        let turned = of_it
            .map(|own| own.sealing)
            .filter(|it| (0..1 << 32).contains(it) && it % 2 == sealed);
        let mut last = 0;
        let mut seen = |row: Any| {
            last = match &row {
                Any::Snapshot(row) => row.seq,
                Any::Trash(row) => row.snapshot.seq,
                Any::Operation(row) => row.seq,
                Any::Record(row) => row.seq,
                _ => 0,
            }
            .max(last);
            Ok(())
        };
        self.proved(Which::Led, &mut seen)?;
        self.proved(Which::InUse, &mut seen)?;
        Ok(Own {
            created_at: made.or(plausible).unwrap_or(now),
            // Numbers are never given twice: this one is beyond all that were.
            last: sequence::next(Some(last), now),
            sealing: turned.unwrap_or(sealed),
            ..self.own.clone()
        })
    }

    fn proved(&self, which: Which, visit: &mut dyn FnMut(Any) -> Result<()>) -> Result<()> {
        self.reader
            .proved(which, (&self.own.id, self.seal.as_ref()), visit)
    }

    /// Makes the new file with every row that is proved, and those damaged ones that say that something was there.
    pub(super) fn fill(&self, path: &Path, loose: &Path, sources: &[&Engine]) -> Result<Filled> {
        for source in sources {
            if source.store().info().id != self.own.id {
                let name = source.shown();
                return Err(Error::invalid(format!(
                    "{name} is another store, not a copy of this one: nothing was taken from it, and nothing was changed"
                )));
            }
        }
        let mut torn = self.reader.torn(&self.own.id, self.seal.as_ref());
        let mut fill = Fill::create(path, &self.own)?;
        let mut rows = 0;
        let mut left = false;
        for slot in &self.slots {
            fill.add(&Any::Note(slot.clone()))?;
        }
        self.proved(Which::Led, &mut |row| {
            left |= matches!(&row, Any::Note(note) if note.kind == note::LEFT);
            rows += u64::from(fill.add(&row)?);
            Ok(())
        })?;
        // What nothing leads to any more may stand there twice: the newer one of a session counts.
        let mut sessions: HashMap<i64, SealedSession> = HashMap::new();
        self.proved(Which::InUse, &mut |row| {
            match row {
                Any::Session(row) => {
                    let newest = sessions.entry(row.row.id).or_insert_with(|| row.clone());
                    if (row.row.era, row.row.head) > (newest.row.era, newest.row.head) {
                        *newest = row;
                    }
                }
                row => {
                    left |= matches!(&row, Any::Note(note) if note.kind == note::LEFT);
                    rows += u64::from(fill.add(&row)?);
                }
            }
            Ok(())
        })?;
        for row in sessions.into_values() {
            rows += u64::from(fill.add(&Any::Session(row))?);
        }
        torn.extend(self.reader.rows(Which::Led, &mut |row| {
            if self.says_something(&row) {
                fill.add(&row)?;
            }
            Ok(())
        })?);
        fill.finish()?;
        // Where something was erased and the file was not written anew since, what is free may be that; so it may where
        // nobody can say whether anything was.
        let erased = left || torn.contains("note");
        let loose = !erased && self.fill_loose(loose)?;
        let broken = self.reader.broken();
        let mut names: Vec<String> = torn.iter().map(|it| (*it).to_owned()).collect();
        names.sort();
        Ok(Filled {
            rows,
            holes: Holes {
                sessions: torn.contains("session"),
                records: torn.contains("record"),
                trash: torn.contains("trash"),
                rest: ["operation", "policy", "note"]
                    .iter()
                    .any(|it| torn.contains(it)),
                alone: true,
            },
            torn: names,
            broken: broken.into_iter().map(str::to_owned).collect(),
            loose,
        })
    }

    /// Whether a damaged row tells of something that the repair may name, or find again.
    fn says_something(&self, row: &Any) -> bool {
        match row {
            // Its name is only believed where it stands twice, or opens.
            Any::Session(row) => match &self.seal {
                Some(seal) => seal.session_name(&row.row.name).is_some(),
                None => self.reader.name_of(row.row.id) == Some(&row.row.name),
            },
            Any::Store(_) | Any::Record(_) => false,
            _ => true,
        }
    }

    /// A second file, of rows on pages of which nobody can say whether they are in use: the repair takes of it what the
    /// rest of the store says is missing.
    fn fill_loose(&self, path: &Path) -> Result<bool> {
        let mut fill: Option<Fill> = None;
        self.proved(Which::Unknown, &mut |row| {
            if fill.is_none() {
                let mut new = Fill::create(path, &self.own)?;
                for slot in self.reader.slots(&self.own.id)?.iter().chain(&self.slots) {
                    new.add(&Any::Note(slot.clone()))?;
                }
                fill = Some(new);
            }
            if let Some(fill) = &mut fill
                && !matches!(row, Any::Note(_))
            {
                fill.add(&row)?;
            }
            Ok(())
        })?;
        let any = fill.is_some();
        fill.map_or(Ok(()), Fill::finish)?;
        Ok(any)
    }
}

/// The slots of a source's keys.
fn slots_of(source: &Engine) -> Result<Vec<NoteRow>> {
    let (view, store): (_, &StoreId) = (source.raw_view()?, &source.store().info().id);
    let mut slots = Vec::new();
    let scan = NoteScan {
        kind: note::SLOT,
        ..NoteScan::default()
    };
    view.notes(&scan, &mut |row| {
        if row.is_intact(store) {
            slots.push(row);
        }
        Flow::Continue(())
    })?;
    Ok(slots)
}
