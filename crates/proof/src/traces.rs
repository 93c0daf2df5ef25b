//! What must not be left in a store's files: words, and the bytes of rows that are gone or are sealed since.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use memchr::memmem::Finder;
use rusqlite::{Connection, OpenFlags};

use crate::forge::{NOTE, Row, SESSION, SLOT, TABLES};

/// Shorter ones may be there by chance, or because they say little.
const SHORTEST: usize = 16;

/// From the middle of a longer one.
const LONGEST: usize = 48;

/// Things to look for.
#[derive(Debug, Clone, Default)]
pub struct Traces(Vec<(String, Vec<u8>)>);

impl Traces {
    pub fn of_words<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let words = words.into_iter();
        Self(words.map(|it| (it.to_owned(), it.into())).collect())
    }

    /// The names and blobs of all rows, as they stand in the tables, and the checksums over them.
    pub fn of_rows<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Self {
        let mut traces = Self::default();
        for row in rows {
            for column in row.table.content.iter().chain(&["checksum"]) {
                let bytes = row.blob(column);
                if bytes.len() >= SHORTEST {
                    let begin = bytes.len().saturating_sub(LONGEST) / 2;
                    let end = bytes.len().min(begin + LONGEST);
                    let what = format!("{column} of {} {:?}", row.table.name, row.key());
                    traces.0.push((what, bytes[begin..end].to_vec()));
                }
            }
        }
        traces
    }

    /// What the rows of `before` say that none says any more.
    pub fn of_gone(before: &[Row], after: &[Row]) -> Self {
        let mut gone = Self::of_rows(before);
        let there: HashSet<_> = Self::of_rows(after).0.into_iter().map(|it| it.1).collect();
        gone.0.retain(|(_, trace)| !there.contains(trace));
        gone
    }

    /// What the slot with that number keeps of the root key, and its salt.
    pub fn of_slot(path: &Path, id: i64) -> Self {
        let rows = rows(path);
        let slot = rows
            .iter()
            .find(|row| row.table == &NOTE && row.int("kind") == SLOT && row.int("id") == id);
        let slot = slot.unwrap();
        let detail = slot.blob("detail");
        // At its end: the salt, a length, and 32 bytes with 16 of a tag.
        let root = &detail[detail.len() - 48..];
        let salt = &detail[detail.len() - 48 - 1 - 16..][..16];
        let what = |it: &str| format!("{it} of key {id}");
        Self(vec![
            (what("root"), root[..24].to_vec()),
            (what("root"), root[24..].to_vec()),
            (what("salt"), salt.to_vec()),
        ])
    }

    /// The wrapped key of the session with that number.
    pub fn of_session_key(path: &Path, id: i64) -> Self {
        let rows = rows(path);
        let session = rows
            .iter()
            .find(|row| row.table == &SESSION && row.int("id") == id);
        let key = session.unwrap().blob("key");
        assert!(key.len() >= 48, "{}", key.len());
        let what = || format!("key of session {id}");
        Self(key.chunks_exact(16).map(|it| (what(), it.into())).collect())
    }

    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Those that stand in the files of the store.
    pub fn found(&self, path: &Path) -> Vec<&str> {
        let files = files_of(path);
        let stands = |(_, trace): &&(String, Vec<u8>)| {
            let finder = Finder::new(trace);
            files.iter().any(|(_, bytes)| finder.find(bytes).is_some())
        };
        let found = self.0.iter().filter(stands);
        found.map(|(what, _)| what.as_str()).collect()
    }
}

/// All rows of the store.
pub fn rows(path: &Path) -> Vec<Row> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let tables = TABLES.iter();
    tables
        .flat_map(|table| Row::all(&database, table))
        .collect()
}

/// What stands in the store's file and those beside it, by how their names end. Another process reads them: were this
/// one to, it would lose SQLite's locks.
pub fn files_of(path: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let read = |end: &'static str| {
        let mut file = path.as_os_str().to_owned();
        file.push(end);
        let there = Path::new(&file).exists();
        there.then(|| (end, Command::new("cat").arg(file).output().unwrap().stdout))
    };
    let found: Vec<_> = ["", "-wal", "-shm", "-journal"]
        .into_iter()
        .filter_map(read)
        .collect();
    assert!(found[0].1.len() >= 4096);
    found
}
