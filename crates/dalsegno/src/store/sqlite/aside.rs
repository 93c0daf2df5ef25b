//! Rows as they stand in their tables, damaged or not, for people who want to look at what was replaced.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value, json};

use super::error::translate;
use super::rows::Stored;
use crate::error::{Error, Result};
use crate::store::seal::SealedSession;
use crate::store::{NoteRow, OperationRow, PolicyRow, RecordRow, Rows, SnapshotRow, TrashRow};

/// A line for each row that is there.
pub(super) fn lines<'r>(
    connection: &Connection,
    rows: impl Iterator<Item = &'r Rows>,
) -> Result<Vec<u8>> {
    let mut lines = Lines {
        connection,
        out: Vec::new(),
    };
    for rows in rows {
        for row in &rows.sessions {
            lines.row::<SealedSession>(vec![row.id])?;
        }
        lines.all::<SnapshotRow>(&rows.snapshots)?;
        lines.all::<TrashRow>(&rows.trash)?;
        lines.all::<RecordRow>(&rows.records)?;
        lines.all::<OperationRow>(&rows.operations)?;
        lines.all::<PolicyRow>(&rows.policies)?;
        lines.all::<NoteRow>(&rows.notes)?;
    }
    Ok(lines.out)
}

struct Lines<'a> {
    connection: &'a Connection,
    out: Vec<u8>,
}

impl Lines<'_> {
    fn all<R: Stored>(&mut self, rows: &[R]) -> Result<()> {
        rows.iter().try_for_each(|row| self.row::<R>(row.key()))
    }

    fn row<R: Stored>(&mut self, key: Vec<i64>) -> Result<()> {
        let failed = |e| translate("reading the rows that are to be replaced", e);
        let sql = format!("SELECT * FROM {} WHERE {}", R::TABLE, R::KEY);
        let mut find = self.connection.prepare_cached(&sql).map_err(failed)?;
        let names: Vec<String> = find.column_names().map(str::to_owned).collect();
        let mut found = find.query(params_from_iter(key)).map_err(failed)?;
        while let Some(row) = found.next().map_err(failed)? {
            let mut columns = Map::new();
            for (at, name) in names.iter().enumerate() {
                columns.insert(name.clone(), value(row.get_ref(at).map_err(failed)?));
            }
            let line = json!({"table": R::TABLE, "row": columns});
            serde_json::to_writer(&mut self.out, &line)
                .map_err(|e| Error::storage("writing a row as JSON").with_source(e))?;
            self.out.push(b'\n');
        }
        Ok(())
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => json!(number),
        ValueRef::Real(number) => json!(number),
        ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "hex": hex })
        }
    }
}
