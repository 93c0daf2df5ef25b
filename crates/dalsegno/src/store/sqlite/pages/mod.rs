//! Reading a store's file without SQLite, page by page, where SQLite cannot any more.
//!
//! The file's format is public: <https://sqlite.org/fileformat2.html>. Nothing that is read here is taken for what was saved
//! because it looks like it: rows are proved by their checksums. Pages that are free are not read, so that nothing comes back
//! that was deleted.

mod columns;
mod file;
mod fill;
mod map;
mod row;
mod tree;

use std::collections::HashSet;

use self::columns::{Column, columns};
pub(crate) use self::file::Pages;
pub(crate) use self::fill::Fill;
use self::map::{Map, Use};
use self::row::TABLES;
pub(crate) use self::row::{Any, Own};
use self::tree::{Cell, Kind, Node};
use super::schema;
use crate::error::Result;
use crate::key::Secret;
use crate::model::StoreId;
use crate::store::NoteRow;
use crate::store::seal::{Seal, open_any};

/// So many trees a store has beside its schema: its tables and indexes, and the indexes that SQLite makes of the unique names
/// of sessions and of policies.
const TREES: usize = schema::TABLES.len() + 2;

/// So many pages are looked at to recognise a store: the roots of its tables are among the first.
const FIRST: u32 = 64;

/// Bytes of a page.
pub(crate) const SIZE: usize = 4096;

/// Which pages are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that a table leads to.
    Led,
    /// Those that are in use, though nothing leads to them any more.
    InUse,
    /// Those of which nobody can say whether they are in use.
    Unknown,
}

/// A store's file, read page by page.
pub(crate) struct Reader {
    pages: Pages,
    map: Map,
}

impl Reader {
    pub(crate) fn of(pages: Pages) -> Self {
        let map = Map::of(&pages);
        Self { pages, map }
    }

    /// The tables of which something could not be read, so that rows of them may be missing without a trace. Where it is
    /// only the schema that cannot be, and every page in use is read and proved, nothing is.
    pub(crate) fn torn(&self, store: &StoreId, seal: Option<&Seal>) -> HashSet<&'static str> {
        if self.map.whole || !self.is_all_proved(store, seal) {
            return self.map.torn.clone();
        }
        HashSet::new()
    }

    /// Whether every page that is in use is one of a tree or of what runs over, and every row on them is proved.
    fn is_all_proved(&self, store: &StoreId, seal: Option<&Seal>) -> bool {
        // Where the file was cut off, roots are missing, or what others lead to.
        let all_begin = Map::count_roots(&self.pages) == TREES;
        // The first is the schema's.
        all_begin
            && (2..=self.pages.count()).all(|number| match self.map.used(&self.pages, number) {
                Use::None => true,
                Use::Unknown => false,
                Use::Of(_) | Use::Unled => Node::read(&self.pages, number).is_some_and(|node| {
                    let of_table = node.kind == Kind::LeafTable;
                    !node.is_torn
                        && node
                            .cells
                            .iter()
                            .all(|cell| is_proved(cell, of_table, store, seal))
                }),
            })
    }

    /// What of the file's own structure is damaged, in words.
    pub(crate) fn broken(&self) -> Vec<&'static str> {
        let Some(first) = self.pages.get(1) else {
            return vec!["all its pages: it is shorter than one"];
        };
        let mut broken = Vec::new();
        if !has_header(&first[..]) || !has_id(&first[..]) {
            broken.push("its header");
        }
        if !self.map.whole {
            broken.push("the definitions of its tables");
        }
        broken
    }

    /// Whether it is another program's database, by what its header says.
    pub(crate) fn is_foreign(&self) -> bool {
        let first = self.pages.get(1);
        first.is_some_and(|first| has_header(&first[..]) && !has_id(&first[..]))
    }

    /// What the index of names says of a session.
    pub(crate) fn name_of(&self, session: i64) -> Option<&str> {
        self.map.names.get(&session).map(String::as_str)
    }

    /// Visits what may be rows: of pages that no table leads to, each cell as a row of every table that it fits. Answers
    /// the tables that lead to cells which are no rows of theirs.
    pub(crate) fn rows(
        &self,
        which: Which,
        visit: &mut dyn FnMut(Any) -> Result<()>,
    ) -> Result<HashSet<&'static str>> {
        let mut torn = HashSet::new();
        for number in 1..=self.pages.count() {
            let table = match (which, self.map.used(&self.pages, number)) {
                (Which::Led, Use::Of(table)) => Some(table),
                (Which::InUse, Use::Unled) | (Which::Unknown, Use::Unknown) => None,
                _ => continue,
            };
            let Some(node) = Node::read(&self.pages, number) else {
                continue;
            };
            for cell in &node.cells {
                let columns = columns(&cell.payload);
                let columns = columns.as_deref();
                match table {
                    Some(table) => match columns.and_then(|it| Any::read(table, cell, it)) {
                        Some(row) => visit(row)?,
                        None => drop(torn.insert(table)),
                    },
                    None => {
                        let mut rows = TABLES
                            .iter()
                            .filter_map(|table| Any::read(table, cell, columns?));
                        rows.try_for_each(&mut *visit)?;
                    }
                }
            }
        }
        Ok(torn)
    }

    /// Rows that are proved, as [`rows`](Self::rows).
    pub(crate) fn proved(
        &self,
        which: Which,
        (store, seal): (&StoreId, Option<&Seal>),
        visit: &mut dyn FnMut(Any) -> Result<()>,
    ) -> Result<()> {
        let visit = &mut |row: Any| {
            if row.is_proved(store, seal) {
                return visit(row);
            }
            match self.with_the_index_s_name(row) {
                Some(row) if row.is_proved(store, seal) => visit(row),
                _ => Ok(()),
            }
        };
        self.rows(which, visit).map(drop)
    }

    /// A session's name stands twice: where that of the row is damaged, that of the index may prove it.
    fn with_the_index_s_name(&self, row: Any) -> Option<Any> {
        let Any::Session(mut row) = row else {
            return None;
        };
        row.row.name = self.name_of(row.row.id)?.to_owned();
        Some(Any::Session(row))
    }

    /// What the store says of itself, wherever a row stands that may be its own; proved ones first.
    pub(crate) fn own(&self) -> Result<Vec<Own>> {
        let mut found: Vec<Own> = Vec::new();
        for which in [Which::Led, Which::InUse, Which::Unknown] {
            self.rows(which, &mut |row| {
                match row {
                    Any::Store(own) if !found.contains(&own) => found.push(own),
                    _ => {}
                }
                Ok(())
            })?;
        }
        found.sort_by_key(|own| !own.is_proved());
        Ok(found)
    }

    /// The slots of the store's keys that are proved.
    pub(crate) fn slots(&self, store: &StoreId) -> Result<Vec<NoteRow>> {
        let mut slots: Vec<NoteRow> = Vec::new();
        for which in [Which::Led, Which::InUse] {
            self.proved(which, (store, None), &mut |row| {
                match row {
                    Any::Note(row)
                        if row.kind == crate::codec::note::SLOT
                            && !slots.iter().any(|it| it.id == row.id) =>
                    {
                        slots.push(row);
                    }
                    _ => {}
                }
                Ok(())
            })?;
        }
        Ok(slots)
    }

    /// Whether any row is one of the store of that id.
    pub(crate) fn is_of(&self, store: &StoreId) -> Result<bool> {
        let mut any = false;
        for which in [Which::Led, Which::InUse] {
            self.proved(which, (store, None), &mut |row| {
                // Its own row proves nothing but itself.
                any |= !matches!(row, Any::Store(_));
                Ok(())
            })?;
        }
        Ok(any)
    }
}

/// Whether the file can be recognised as a store, whatever its header says: by what the store says of itself, or by the
/// definitions of its tables.
pub(crate) fn is_a_store(pages: &Pages) -> bool {
    let cells = |number| {
        let node = Node::read(pages, number);
        node.map(|node| node.cells).unwrap_or_default()
    };
    let is_ours = |cell: &Cell| match columns(&cell.payload).as_deref() {
        Some([Column::Text(_), Column::Text(name), ..]) => name == "record_block",
        _ => false,
    };
    let says = |cell: &Cell| {
        let columns = columns(&cell.payload);
        let row = columns.and_then(|it| Any::read("store", cell, &it));
        matches!(row, Some(Any::Store(own)) if own.is_proved())
    };
    let last = pages.count().min(FIRST);
    cells(1).iter().any(is_ours) || (2..=last).any(|number| cells(number).iter().any(says))
}

/// Whether the first page begins as that of a database of SQLite with pages of this size.
fn has_header(first: &[u8]) -> bool {
    let size = u16::try_from(SIZE).map(u16::to_be_bytes);
    let fractions = first.get(20..24) == Some(&[0, 64, 32, 32]);
    first.starts_with(b"SQLite format 3\0")
        && size.is_ok_and(|size| first.get(16..18) == Some(&size))
        && fractions
}

fn has_id(first: &[u8]) -> bool {
    first.get(68..72) == Some(&schema::APPLICATION_ID.to_be_bytes())
}

/// Whether a cell is a row that is proved; what is no row of any table may stand in an index, but not in a table.
fn is_proved(cell: &Cell, of_table: bool, store: &StoreId, seal: Option<&Seal>) -> bool {
    let Some(columns) = columns(&cell.payload) else {
        return false;
    };
    let fits = |table: &&str| Any::read(table, cell, &columns);
    let mut rows = TABLES.iter().filter_map(fits).peekable();
    match rows.peek() {
        None => !of_table,
        Some(_) => rows.any(|row| row.is_proved(store, seal)),
    }
}

/// The keys that `secret` opens with one of `slots`.
pub(crate) fn seal(slots: &[NoteRow], secret: &Secret, store: &StoreId) -> Result<Seal> {
    let (root, _) = open_any(slots, secret, store)?;
    Seal::new(root, *store)
}
