//! Rows of a store's tables as a tool for databases sees them: to exchange, replay and forge them.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use twox_hash::XxHash3_128;

/// A table of the store.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    /// How many of the columns are its key.
    key: usize,
    /// All but the checksum, in the order in which that takes them, the key first.
    columns: &'static [&'static str],
    /// Another that the checksum of a sealed row takes besides.
    sealed: Option<&'static str>,
    /// What says something.
    pub content: &'static [&'static str],
}

impl Table {
    /// All columns that do not say which row it is; nor the checksum.
    pub fn but_key(&self) -> Vec<&'static str> {
        self.columns[self.key..]
            .iter()
            .copied()
            .chain(self.sealed)
            .collect()
    }

    const fn new(
        name: &'static str,
        key: usize,
        columns: &'static [&'static str],
        content: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            key,
            columns,
            sealed: None,
            content,
        }
    }
}

pub const SESSION: Table = Table {
    sealed: Some("key"),
    ..Table::new(
        "session",
        1,
        &["id", "name", "head", "era"],
        &["name", "key"],
    )
};
pub const SNAPSHOT: Table = Table::new(
    "snapshot",
    1,
    &[
        "seq",
        "session",
        "created_at",
        "kind",
        "flags",
        "size",
        "stored",
        "parent",
        "state",
        "epoch",
        "name",
        "detail",
    ],
    &["detail", "name"],
);
pub const RECORD: Table = Table::new(
    "record",
    1,
    &["seq", "session", "count", "parent", "data"],
    &["data"],
);
pub const TRASH: Table = Table::new(
    "trash",
    1,
    &[
        "seq",
        "session",
        "created_at",
        "kind",
        "flags",
        "size",
        "stored",
        "parent",
        "state",
        "epoch",
        "name",
        "detail",
        "deleted_at",
        "keep_until",
    ],
    &["detail", "name"],
);
pub const OPERATION: Table = Table::new(
    "operation",
    1,
    &["seq", "session", "verb", "status", "detail"],
    &["detail"],
);
pub const POLICY: Table = Table::new(
    "policy",
    1,
    &["id", "pattern", "detail"],
    &["detail", "pattern"],
);
pub const NOTE: Table = Table::new("note", 3, &["kind", "session", "id", "detail"], &["detail"]);

pub const TABLES: [&Table; 7] = [
    &SESSION, &SNAPSHOT, &RECORD, &TRASH, &OPERATION, &POLICY, &NOTE,
];

/// The kind of the notes that keys of the store are.
pub const SLOT: i64 = 7;

/// A row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub table: &'static Table,
    /// As the table names them, then what is sealed besides, then the checksum.
    values: Vec<Value>,
}

impl Row {
    /// All rows of a table, in the order of their keys.
    pub fn all(database: &Connection, table: &'static Table) -> Vec<Self> {
        let names = Self::names(table).join(", ");
        let key = table.columns[..table.key].join(", ");
        let sql = format!("SELECT {names} FROM {} ORDER BY {key}", table.name);
        let mut statement = database.prepare(&sql).unwrap();
        let count = statement.column_count();
        let rows = statement.query_map((), |row| {
            let values = (0..count).map(|at| row.get(at)).collect::<Result<_, _>>()?;
            Ok(Self { table, values })
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn names(table: &Table) -> Vec<&'static str> {
        let columns = table.columns.iter().copied();
        columns.chain(table.sealed).chain(["checksum"]).collect()
    }

    fn place(&self, column: &str) -> usize {
        let names = Self::names(self.table);
        names.iter().position(|name| *name == column).unwrap()
    }

    pub fn get(&self, column: &str) -> &Value {
        &self.values[self.place(column)]
    }

    pub fn set(&mut self, column: &str, value: Value) {
        let place = self.place(column);
        self.values[place] = value;
    }

    pub fn int(&self, column: &str) -> i64 {
        match self.get(column) {
            Value::Integer(n) => *n,
            other => panic!("{column} is {other:?}"),
        }
    }

    pub fn blob(&self, column: &str) -> &[u8] {
        match self.get(column) {
            Value::Blob(bytes) => bytes,
            Value::Text(text) => text.as_bytes(),
            _ => &[],
        }
    }

    pub fn key(&self) -> &[Value] {
        &self.values[..self.table.key]
    }

    /// It says something else, with the checksum that a store in clear would give it.
    #[must_use]
    pub fn summed(mut self, store: &[u8]) -> Self {
        self.set("checksum", Value::Blob(self.sum(store, false)));
        self
    }

    /// As [`summed`](Self::summed), over what is sealed besides too.
    #[must_use]
    pub fn summed_over_all(mut self, store: &[u8]) -> Self {
        self.set("checksum", Value::Blob(self.sum(store, true)));
        self
    }

    fn sum(&self, store: &[u8], besides: bool) -> Vec<u8> {
        fn add(bytes: &mut Vec<u8>, value: &[u8]) {
            bytes.push(2);
            bytes.extend((value.len() as u64).to_le_bytes());
            bytes.extend(value);
        }
        let mut bytes = Vec::new();
        add(&mut bytes, self.table.name.as_bytes());
        bytes.extend(store);
        let sealed = self.table.sealed.filter(|_| besides);
        for column in self.table.columns.iter().copied().chain(sealed) {
            match self.get(column) {
                Value::Null => bytes.push(0),
                Value::Integer(0) if column == "era" => {}
                Value::Integer(n) => {
                    bytes.push(1);
                    bytes.extend(n.to_le_bytes());
                }
                Value::Text(text) => add(&mut bytes, text.as_bytes()),
                Value::Blob(blob) => add(&mut bytes, blob),
                Value::Real(_) => panic!("{column} is no whole number"),
            }
        }
        XxHash3_128::oneshot(&bytes).to_be_bytes().to_vec()
    }

    fn is_here(&self) -> String {
        let columns = self.table.columns[..self.table.key].iter();
        let all: Vec<String> = columns.map(|name| format!("{name} = ?")).collect();
        all.join(" AND ")
    }

    /// Takes the row with its key away, if there is one.
    pub fn delete(&self, database: &Connection) {
        let sql = format!("DELETE FROM {} WHERE {}", self.table.name, self.is_here());
        database
            .execute(&sql, params_from_iter(self.key()))
            .unwrap();
    }

    /// Puts it there.
    ///
    /// # Errors
    /// Where its name is taken.
    pub fn insert(&self, database: &Connection) -> rusqlite::Result<()> {
        let names = Self::names(self.table);
        let marks = vec!["?"; names.len()].join(", ");
        let names = names.join(", ");
        let sql = format!("INSERT INTO {} ({names}) VALUES ({marks})", self.table.name);
        database
            .execute(&sql, params_from_iter(&self.values))
            .map(drop)
    }
}

/// The id of the store.
pub fn store_id(database: &Connection) -> Vec<u8> {
    let id = database.query_row("SELECT id FROM store", (), |row| row.get(0));
    id.unwrap()
}
